"""The orders chapter: stablecoins against fiat and against each other, at a quoted price, from a desk and from pools.

Owns the tables `stable_*`: quotes, orders, pools; in the house book the accounts of the desk and the pools.
Never moves money outside: what comes in and goes out is the work of accounts and wallet.
"""
