"""All SQL of the tables `payment_link*`, one file a table.

Owns how links, payments and funds are kept and found.
Never decides what becomes of them.
"""
