"""Which fact becomes which event: one file a chapter, one list of all.

Owns the names of events and what they show.
Never decides who receives one.
"""
