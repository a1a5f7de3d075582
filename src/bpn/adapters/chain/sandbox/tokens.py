"""The sandbox's accounts and tokens. The key is published: nothing here is worth anything."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

FAUCET_KEY = bytes.fromhex("b5" * 32)
FAUCET_ADDRESS = "0x245242eBd6fC8A7488e06DEDA668af82953dab80"
TOKENS = ("USDT", "USDC")
"""Deployed by the faucet in this order, with its nonces 0 and 1: the addresses are the same on every fresh chain."""
CONTRACTS = {
    "USDT": "0xe9025b0dF3eCf0ddfb81450Ad2A93e4DaE3eb127",
    "USDC": "0x012995C24CCFa4580A8Bc85daaC4b7AcBBFC750b",
}
FULL_NAMES = {"USDT": "Sandbox Tether", "USDC": "Sandbox USD Coin"}


def artefact() -> dict[str, Any]:
    """The compiled token: `abi` and `bytecode`."""
    loaded: dict[str, Any] = json.loads((files("bpn.adapters.chain.sandbox") / "token.json").read_text())
    return loaded
