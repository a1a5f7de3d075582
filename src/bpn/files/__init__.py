"""Files that merchants hand in: told by their first bytes, sealed, kept whole or not at all.

Owns the table `files` and where the bytes lie.
Never knows what a file is for, and never shows one to another merchant.
"""
