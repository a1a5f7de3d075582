"""A remote signer that speaks web3signer's API: the same bytes as the local one, and never another key's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from bip_utils import Bip39SeedGenerator, Bip44Changes
from eth_account import Account
from eth_keys.datatypes import PrivateKey
from pydantic import ValidationError

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.adapters.signer.derivation import account, account_extended_public_key
from bpn.adapters.signer.local import LocalSigner
from bpn.adapters.signer.remote import RemoteSigner
from bpn.ports.readers import GasFees, SourceUnavailableError
from bpn.ports.senders import ChainTransfer
from bpn.settings import Settings
from bpn.wiring.house import AccountMismatchError, open_house
from conftest import copy_database
from installation import open_installation
from web3signer import Web3Signer, serving_keys

SEED = Bip39SeedGenerator("test test test test test test test test test test test junk").Generate()
PUBLIC_KEY = account_extended_public_key(SEED)
KEYS = [
    account(SEED).Change(Bip44Changes.CHAIN_EXT).AddressIndex(index).PrivateKey().Raw().ToBytes() for index in range(2)
]
ADDRESSES = ["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]
TOKENS = ChainTransfer(56, 7, ADDRESSES[0], ADDRESSES[1], 10**18, 120_000, GasFees(2 * 10**9, 10**9))
COINS = replace(TOKENS, contract=None, nonce=0, gas_limit=21_000)
LEGACY = replace(TOKENS, fees=GasFees(3 * 10**9, None))


@asynccontextmanager
async def signing(public_key: str = PUBLIC_KEY) -> AsyncIterator[tuple[RemoteSigner, Web3Signer]]:
    async with serving_keys(KEYS) as service:
        signer = RemoteSigner(service.url, public_key, timeout_seconds=5)
        yield signer, service
        await signer.close()


@pytest.mark.parametrize("transfer", [TOKENS, COINS, LEGACY], ids=["tokens", "coins", "legacy"])
@pytest.mark.parametrize("index", [0, 1])
async def test_its_bytes_are_the_local_signers(transfer: ChainTransfer, index: int) -> None:
    async with signing() as (signer, _):
        signed = await signer.sign(index, transfer)
    assert signed == await LocalSigner(SEED).sign(index, transfer)
    assert Account.recover_transaction(signed.raw) == ADDRESSES[index]


async def test_a_key_store_that_tells_no_v_and_an_upper_s_is_understood() -> None:
    async with signing() as (signer, service):
        service.bare = True
        assert await signer.sign(0, TOKENS) == await LocalSigner(SEED).sign(0, TOKENS)


async def test_a_signature_of_another_key_is_refused() -> None:
    async with signing() as (signer, service):
        service.lies_with = PrivateKey(KEYS[1])
        with pytest.raises(SourceUnavailableError, match="not of the key"):
            await signer.sign(0, TOKENS)


async def test_a_key_that_it_does_not_hold_or_a_service_that_is_gone() -> None:
    async with signing() as (signer, _):
        with pytest.raises(SourceUnavailableError, match="404"):
            await signer.sign(2, TOKENS)
    gone = RemoteSigner("http://127.0.0.1:9", PUBLIC_KEY, timeout_seconds=1)
    with pytest.raises(SourceUnavailableError):
        await gone.sign(0, TOKENS)
    await gone.close()


async def test_an_installation_without_a_seed_pays_by_the_remote_signer(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with serving_keys(KEYS) as service:
        database_url = copy_database(server)
        options = {"signer_url": service.url, "account_public_key": PUBLIC_KEY}
        async with open_installation(database_url, tmp_path, **options) as house:
            assert house.parts.wallet_terms.hot_address == ADDRESSES[0]
            merchant = await house.merchant()
            await merchant.fund("100")
            await merchant.whitelist()
            asked = await merchant.post("/v1/wallet/withdraw", merchant.withdrawal("10"))
            done = await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
            assert done["hash"]
            assert service.asked
            async with house.parts.database.reading() as tx:
                cursor = await tx.connection.execute("SELECT count(*) FROM sealed_secrets WHERE name = 'wallet_seed'")
                assert await cursor.fetchone() == (0,)
        with pytest.raises(AccountMismatchError):
            other = Settings(
                data_dir=tmp_path,
                signer_url=service.url,
                account_public_key=account_extended_public_key(bytes(64)),
            )
            async with open_house(other, database_url):
                raise AssertionError("opened with another account's key")


def test_a_signer_needs_the_account_it_signs_for(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="both or neither"):
        Settings(data_dir=tmp_path, signer_url="http://127.0.0.1:9000")
