"""The accounts chapter: fiat in and out through virtual accounts, on the rails of banks.

Owns the tables `master_accounts`, `virtual_account*`, `bank_*`, `information_requests`, `email_codes`.
Never asks a bank inside a request: its jobs do; and never pays anything twice.
"""
