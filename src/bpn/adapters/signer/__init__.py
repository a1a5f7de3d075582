"""Signers: whoever holds the keys of the wallets.

Owns key derivation and signing.
Never sends anything and never decides what is signed.
"""
