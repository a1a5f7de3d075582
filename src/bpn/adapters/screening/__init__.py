"""Screening lists: who must not be paid, and from whom nothing may be taken.

Owns how the lists are read and matched.
Never decides what happens to the money.
"""
