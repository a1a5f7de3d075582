"""Who is calling: merchants, their API keys, what each key may do.

Owns the tables `merchants` and `api_keys`.
Never speaks HTTP and never moves money.
"""
