"""The core: double-entry books, and the only code that changes a balance.

Owns the tables `ledger_*`: accounts, transfers, entries, batches and their seals.
Never knows why money moves: a chapter says so in a transfer's code and reference.
"""
