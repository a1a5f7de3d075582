"""The fx chapter: what one currency is in another, exactly, with its source and its age.

Owns the tables `fx_*`: the newest rates, their history, spreads by merchant and pair.
Never asks a source inside a request: its job does.
"""
