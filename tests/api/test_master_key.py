"""The master key changes while everybody reads and writes; broken off, it goes on; nothing stays under the former."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.database.sealed_columns import reseal
from bpn.kernel.encryption import Cipher
from bpn.kernel.errors import InvalidState
from bpn.merchants import operations as merchants
from bpn.wiring.house import House, open_house
from bpn.wiring.master_key_rotation import finish_rotation, rotate_master_key
from bpn.wiring.master_keys import master_key_file, read_master_keys, write_master_keys
from bpn.wiring.sealed_columns import SEALED_COLUMNS
from conftest import copy_database
from installation import Installation, Merchant, open_installation
from sealed_values import opens

BALANCE = "/v1/wallet/asset-balance"
FILLED = {
    "sealed_secrets.sealed", "api_keys.sealed_secret", "api_keys.sealed_previous", "api_claims.answer",
    "wallet_deposits.sealed_sender", "wallet_whitelist.sealed_beneficiary", "webhook_endpoints.sealed_secret",
    "webhook_endpoints.sealed_previous",
}  # fmt: skip


@pytest.fixture(scope="module")
async def house(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation of its own: its key changes."""
    async with open_installation(copy_database(server), tmp_path_factory.mktemp("keys")) as installation:
        yield installation


async def merchant_with_secrets(house: Installation) -> Merchant:
    """Something in each of the columns FILLED."""
    merchant = await house.merchant("http://127.0.0.1:9/webhooks")
    (endpoint,) = (await merchant.get("/v1/webhook/endpoint/list"))["list"]
    await merchant.post("/v1/webhook/endpoint/rotate", {"endpointId": endpoint["endpointId"]})
    await merchant.whitelist()
    await merchant.receive("10")
    await merchant.post("/v1/wallet/sub-account/create", {"name": "Store", "requestId": "store-1"})
    async with house.parts.database.transaction() as tx:
        made = await merchants.rotate_api_key(tx, house.parts.cipher, merchant.api_key, timedelta(days=1))
    return Merchant(house, merchant.merchant_id, made.api_key, made.secret, merchant.wallet_id)


async def test_everything_is_sealed_anew_while_requests_go_on(house: Installation) -> None:
    merchant = await merchant_with_secrets(house)
    settings, url = house.parts.settings, house.parts.database_url
    (former,) = read_master_keys(settings)
    before = opens(Cipher(former), url)
    assert all(bad == 0 for _, bad in before.values())
    assert {name for name, (good, _) in before.items() if good} >= FILLED
    async with open_house(settings, url) as operator:
        assert await rotate_master_key(operator) > 0
        newest, kept = read_master_keys(settings)
        assert kept == former
        assert all(bad == 0 for _, bad in opens(Cipher(newest), url).values())
        assert all(good == 0 for good, _ in opens(Cipher(former), url).values())
        house.parts.credentials._known.clear()
        assert (await merchant.ask(BALANCE)).status == 200
        created = await merchant.order("/v1/wallet/sub-account/create", {"name": "Store", "requestId": "store-1"})
        assert created.status == 200, "the kept answer opens"

        async def seals_with_the_newest() -> bool:
            return house.parts.cipher.header == Cipher(newest).header

        await house.until(seals_with_the_newest)
        await house.merchant()
        assert await finish_rotation(operator) == 0
    assert read_master_keys(settings) == [newest]
    assert master_key_file(settings).stat().st_mode & 0o777 == 0o600
    async with open_house(settings, url) as later, later.database.reading() as tx:
        assert await merchants.find_credential(tx, later.cipher, merchant.api_key) is not None
    with pytest.raises(InvalidState):
        await finish_rotation(house.parts)


async def test_a_rotation_that_was_broken_off_goes_on(house: Installation) -> None:
    merchant = await merchant_with_secrets(house)
    settings, url = house.parts.settings, house.parts.database_url
    former = read_master_keys(settings)[0]
    write_master_keys(settings, [newest := bytes(range(32)), former])
    house.parts.cipher.renew()
    for column in SEALED_COLUMNS[:3]:
        async with house.parts.database.transaction() as tx:
            assert (await reseal(tx, house.parts.cipher, column, None, 1)).rows <= 1
    house.parts.credentials._known.clear()
    assert (await merchant.ask(BALANCE)).status == 200, "half and half is readable"
    await rotate_master_key(house.parts)
    assert read_master_keys(settings) == [newest, former], "no third key was made"
    assert all(bad == 0 for _, bad in opens(Cipher(newest), url).values())
    await finish_rotation(house.parts)


async def test_a_key_that_seals_on_is_found_before_the_former_is_forgotten(house: Installation) -> None:
    former = read_master_keys(house.parts.settings)[0]
    async with open_house(house.parts.settings, house.parts.database_url) as operator:
        await rotate_master_key(operator)
        async with operator.database.transaction() as tx:
            late = await merchants.create_merchant(tx, "Late")
            await merchants.create_api_key(tx, Cipher(former), late.merchant_id)
        assert await finish_rotation(operator) == 1
    newest = read_master_keys(house.parts.settings)
    assert all(bad == 0 for _, bad in opens(Cipher(*newest), house.parts.database_url).values())


async def test_keys_in_the_settings(house: Installation, tmp_path: Path) -> None:
    """Every process is given both keys before anything is sealed under the new one."""
    settings, url = house.parts.settings, house.parts.database_url
    (former,) = read_master_keys(settings)
    newest = bytes(reversed(range(32)))

    def given(key: bytes, *others: bytes) -> House:
        changed = {"master_key": SecretStr(key.hex()), "other_master_keys": [SecretStr(one.hex()) for one in others]}
        return open_house(settings.model_copy(update={**changed, "data_dir": tmp_path}), url)  # type: ignore[return-value]

    async with given(former) as alone:  # type: ignore[attr-defined]
        with pytest.raises(InvalidState, match="BPN_OTHER_MASTER_KEYS"):
            await rotate_master_key(alone)
    async with given(newest, former) as both:  # type: ignore[attr-defined]
        assert await rotate_master_key(both) > 0
        assert await finish_rotation(both) == 0
    assert all(bad == 0 for _, bad in opens(Cipher(newest), url).values())
    assert not master_key_file(settings.model_copy(update={"data_dir": tmp_path})).exists()
    write_master_keys(settings, [newest])
    house.parts.cipher.renew()
