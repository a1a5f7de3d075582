"""The sandbox's bank: an outside world of its own, with levers.

Owns the database schema `simulated_bank`: its accounts, what it has booked, what it still has to tell.
Never reads or writes a table of ours.
"""
