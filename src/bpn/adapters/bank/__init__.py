"""Banks: a simulated one for the sandbox, and any that exchanges ISO 20022 files.

Owns how a bank is spoken to.
Never knows whose money it is.
"""
