"""All SQL of the `ledger_*` tables, one file for each idea.

Owns the statements that lock, write and read the ledger.
Never decides what is accepted.
"""
