"""Keys: several to a merchant, rotated with an overlap, revoked with a successor for the webhooks they sign."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bpn.chapters.webhooks.errors import ApiKeyNotUsable
from bpn.client import webhook_is_genuine
from bpn.kernel.errors import InvalidRequest
from bpn.merchants import operations as merchants
from bpn.merchants.errors import ApiKeyInUse, ApiKeyNotFound
from bpn.merchants.model import NewApiKey, Permission
from bpn.wiring.merchants import revoke_api_key
from installation import Installation, Merchant, receiving

BALANCE = "/v1/wallet/asset-balance"
DAY = timedelta(days=1)


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def make_key(house: Installation, merchant: Merchant, *ips: str) -> NewApiKey:
    async with house.parts.database.transaction() as tx:
        return await merchants.create_api_key(tx, house.parts.cipher, merchant.merchant_id, [Permission.READ], ips)


async def rotate(house: Installation, merchant: Merchant, overlap: timedelta) -> Merchant:
    """The merchant with its key's new secret, once every process has heard of it."""
    async with house.parts.database.transaction() as tx:
        made = await merchants.rotate_api_key(tx, house.parts.cipher, merchant.api_key, overlap)
    changed = Merchant(house, merchant.merchant_id, made.api_key, made.secret, merchant.wallet_id)

    async def is_known() -> bool:
        return (await changed.ask(BALANCE)).status == 200

    await house.until(is_known)
    return changed


async def test_both_secrets_are_good_during_the_overlap(house: Installation, merchant: Merchant) -> None:
    changed = await rotate(house, merchant, DAY)
    assert changed.api_secret != merchant.api_secret
    assert (await merchant.ask(BALANCE)).status == 200
    again = await rotate(house, changed, DAY)
    assert (await changed.ask(BALANCE)).status == 200
    assert (await merchant.ask(BALANCE)).code == "INVALID_SIGNATURE", "a second rotation ends the first one's overlap"
    assert (await again.ask(BALANCE)).status == 200


async def test_without_overlap_the_former_secret_ends_at_once(house: Installation, merchant: Merchant) -> None:
    await rotate(house, merchant, timedelta(0))
    assert (await merchant.ask(BALANCE)).code == "INVALID_SIGNATURE"


async def test_webhooks_are_signed_with_the_new_secret(house: Installation, merchant: Merchant) -> None:
    async with receiving() as receiver:
        endpoint = await merchant.post("/v1/webhook/endpoint/set", {"url": receiver.url})
        changed = await rotate(house, merchant, DAY)
        await changed.post("/v1/webhook/endpoint/test", {"endpointId": endpoint["endpointId"]})
        await house.work()
        ((headers, body),) = receiver.raw
    assert webhook_is_genuine(changed.api_secret, headers, body)
    assert not webhook_is_genuine(merchant.api_secret, headers, body)
    assert webhook_is_genuine([merchant.api_secret, changed.api_secret], headers, body)
    assert not webhook_is_genuine(changed.api_secret, headers, body, tolerance_seconds=-1)


async def test_what_is_unknown_or_revoked_does_not_rotate(house: Installation, merchant: Merchant) -> None:
    key = await make_key(house, merchant)
    await revoke_api_key(house.parts, key.api_key, None)
    async with house.parts.database.transaction() as tx:
        for name in (key.api_key, "bpn_unknown"):
            with pytest.raises(ApiKeyNotFound):
                await merchants.rotate_api_key(tx, house.parts.cipher, name, DAY)


async def test_the_list_shows_every_key_and_its_last_use(house: Installation, merchant: Merchant) -> None:
    key = await make_key(house, merchant, "10.0.0.0/8", "2001:db8::/32")
    await merchant.ask(BALANCE)
    await house.parts.credentials._save_uses()
    await revoke_api_key(house.parts, key.api_key, None)
    async with house.parts.database.reading() as tx:
        first, second = await merchants.list_api_keys(tx, merchant.merchant_id)
    assert (first.api_key, first.revoked_at, second.last_used_at) == (merchant.api_key, None, None)
    assert first.last_used_at is not None
    assert (second.permissions, second.allowed_ips) == ((Permission.READ,), ("10.0.0.0/8", "2001:db8::/32"))
    assert second.revoked_at is not None


@pytest.mark.parametrize("network", ["10.0.0.1/8", "example.com", "10.0.0.0/33", ""])
async def test_what_is_no_network_is_refused(house: Installation, merchant: Merchant, network: str) -> None:
    with pytest.raises(InvalidRequest):
        await make_key(house, merchant, network)


class TestRevoking:
    """A key that signs webhooks needs a successor, whether an endpoint names it or it is the oldest."""

    @pytest.mark.parametrize("named", [True, False])
    async def test_a_signing_key_needs_a_successor(
        self, house: Installation, merchant: Merchant, *, named: bool
    ) -> None:
        async with receiving() as receiver:
            given = {"url": receiver.url, **({"apiKey": merchant.api_key} if named else {})}
            endpoint = await merchant.post("/v1/webhook/endpoint/set", given)
            other = await make_key(house, merchant)
            with pytest.raises(ApiKeyInUse):
                await revoke_api_key(house.parts, merchant.api_key, None)
            for unusable in (merchant.api_key, "bpn_unknown", (await house.merchant()).api_key):
                with pytest.raises(ApiKeyNotUsable):
                    await revoke_api_key(house.parts, merchant.api_key, unusable)
            assert (await merchant.ask(BALANCE)).status == 200, "a refused revocation changes nothing"
            await merchant.post("/v1/webhook/endpoint/test", {"endpointId": endpoint["endpointId"]})
            await revoke_api_key(house.parts, merchant.api_key, other.api_key)
            await house.work()
            ((headers, body),) = receiver.raw
        assert headers["API-KEY"] == other.api_key
        assert webhook_is_genuine(other.secret, headers, body)

    async def test_one_that_signs_nothing_does_not(self, house: Installation, merchant: Merchant) -> None:
        await merchant.post("/v1/webhook/endpoint/set", {"url": "http://127.0.0.1:9/"})
        key = await make_key(house, merchant)
        await revoke_api_key(house.parts, key.api_key, None)
