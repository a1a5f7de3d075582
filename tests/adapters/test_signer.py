"""Keys and signatures: the standards' own vectors, and the same bytes for the same transfer."""

from __future__ import annotations

from bip_utils import Bip39SeedGenerator
from eth_account import Account

from bpn.adapters.signer.derivation import account_extended_public_key
from bpn.adapters.signer.local import LocalSigner
from bpn.chapters.wallet.rules import derive_address
from bpn.ports.readers import GasFees
from bpn.ports.senders import ChainTransfer

# The mnemonic that development chains publish, and its first two addresses at m/44'/60'/0'/0.
SEED = Bip39SeedGenerator("test test test test test test test test test test test junk").Generate()
ADDRESSES = ["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]
TRANSFER = ChainTransfer(56, 7, ADDRESSES[0], ADDRESSES[1], 10**18, 120_000, GasFees(2 * 10**9, 10**9))


def test_addresses_derive_from_the_public_key_alone() -> None:
    public_key = account_extended_public_key(SEED)
    assert public_key.startswith("xpub")
    assert [derive_address(public_key, index) for index in range(2)] == ADDRESSES


async def test_the_key_of_an_address_signs_for_it() -> None:
    signed = await LocalSigner(SEED).sign(1, TRANSFER)
    assert Account.recover_transaction(signed.raw) == ADDRESSES[1]


async def test_the_same_transfer_gives_the_same_bytes() -> None:
    assert await LocalSigner(SEED).sign(0, TRANSFER) == await LocalSigner(SEED).sign(0, TRANSFER)
