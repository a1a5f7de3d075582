"""Keys from the seed: BIP-32 and BIP-44, account m/44'/60'/0'."""

from __future__ import annotations

from bip_utils import Bip44, Bip44Coins


def account(seed: bytes) -> Bip44:
    """The node m/44'/60'/0' with its private key."""
    return Bip44.FromSeed(seed, Bip44Coins.ETHEREUM).Purpose().Coin().Account(0)


def account_extended_public_key(seed: bytes) -> str:
    """The extended public key of m/44'/60'/0' (`xpub…`): it derives every address, and no key."""
    return str(account(seed).PublicKey().ToExtended())
