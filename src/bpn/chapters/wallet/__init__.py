"""The wallet chapter: stablecoins in and out on real networks, and between a merchant's own wallets.

Owns the tables `wallet*`: wallets, addresses, transactions, deposits, whitelist, withdrawals, what we know of chains.
Never holds a key and never asks a chain inside a request: its jobs do.
"""
