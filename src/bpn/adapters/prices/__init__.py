"""Price sources: a live one and a static one.

Owns how each is asked and read.
Never keeps a price: whoever asks does.
"""
