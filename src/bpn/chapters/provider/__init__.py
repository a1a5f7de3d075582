"""The provider chapter: collects stablecoins for a provider's own customers, accepted into dollars or sent back.

Owns the tables `collection_*` and `usd_payouts`: sub wallets of customers, collection orders, payouts in dollars.
Never prices a conversion, screens a sender or speaks to a bank: that is the work of orders, wallet and accounts.
"""
