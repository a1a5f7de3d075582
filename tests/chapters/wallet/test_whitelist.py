"""The withdrawal whitelist: asked for, decided, cooled, deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from conftest import copy_database
from installation import OUTSIDE, Installation, Merchant, open_installation

ADD = "/v1/wallet/add-withdraw-whitelist"
DELETE = "/v1/wallet/delete-withdraw-whitelist"
LIST = "/v1/wallet/withdraw-whitelist/list"
BODY: dict[str, object] = {
    "currency": "USDT",
    "network": "BSC",
    "address": OUTSIDE,
    "alias": "Treasury",
    "addressType": 1,
    "beneficiary": {"type": "individual", "firstName": "Ana", "lastName": "Sousa"},
}


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


class TestAdd:
    async def test_the_sandbox_approves_at_once(self, merchant: Merchant) -> None:
        entry = await merchant.post(ADD, {**BODY, "address": OUTSIDE.lower()})
        assert (entry["status"], entry["address"]) == ("APPROVED", OUTSIDE)
        listed = await merchant.get(LIST)
        assert [row["whitelistId"] for row in listed["list"]] == [entry["whitelistId"]]

    async def test_twice_is_refused(self, merchant: Merchant) -> None:
        await merchant.post(ADD, BODY)
        answer = await merchant.order(ADD, BODY)
        assert (answer.status, answer.code) == (409, "INVALID_STATE")

    async def test_an_address_of_this_platform_is_refused(self, house: Installation, merchant: Merchant) -> None:
        own = (await merchant.get("/v1/wallet/deposit-address", currency="USDT"))["address"]
        for address in (own, house.parts.wallet_terms.hot_address):
            answer = await merchant.order(ADD, {**BODY, "address": address})
            assert (answer.status, answer.code, answer.fields) == (400, "INVALID_REQUEST", ["address"])

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"address": "0x00"}, "address"),
            ({"address": "0x" + "00" * 20}, "address"),
            ({"alias": ""}, "alias"),
            ({"addressType": 3}, "addressType"),
            ({"beneficiary": {"type": "robot"}}, "beneficiary.type"),
            ({"beneficiary": {"type": "INDIVIDUAL", "firstName": "Ana"}}, "beneficiary.lastName"),
            ({"beneficiary": {"type": "company"}}, "beneficiary.companyName"),
            ({"beneficiary": None}, "beneficiary"),
        ],
    )
    async def test_refuses(self, merchant: Merchant, change: dict[str, object], field: str) -> None:
        answer = await merchant.order(ADD, {**BODY, **change})
        assert (answer.status, answer.fields) == (400, [field])


class TestDelete:
    async def test_at_once_by_id_or_by_address(self, merchant: Merchant) -> None:
        entry = await merchant.post(ADD, BODY)
        assert (await merchant.post(DELETE, {"whitelistId": entry["whitelistId"]}))["status"] == "DELETED"
        await merchant.post(ADD, BODY)
        assert (await merchant.post(DELETE, {"currency": "USDT", "address": OUTSIDE}))["status"] == "DELETED"
        assert (await merchant.get(LIST))["total"] == 0

    async def test_refuses(self, house: Installation, merchant: Merchant) -> None:
        assert (await merchant.order(DELETE, {})).fields == ["whitelistId"]
        assert (await merchant.order(DELETE, {"whitelistId": "1"})).code == "WHITELIST_ENTRY_NOT_FOUND"
        entry = await merchant.post(ADD, BODY)
        other = await house.merchant()
        assert (await other.order(DELETE, {"whitelistId": entry["whitelistId"]})).status == 404


async def test_approval_and_cooling_where_the_operator_asks_for_them(server: EmbeddedPostgres, tmp_path: Path) -> None:
    options = {"whitelist_needs_approval": True, "whitelist_cooling_seconds": 3600}
    async with open_installation(copy_database(server), tmp_path, **options) as house:
        merchant = await house.merchant()
        await merchant.fund("100")
        entry = await merchant.post(ADD, BODY)
        assert entry["status"] == "PENDING"
        assert (
            await merchant.order("/v1/wallet/withdraw", merchant.withdrawal("10"))
        ).code == "ADDRESS_NOT_WHITELISTED"
        async with house.parts.database.transaction() as tx:
            await wallet.decide_whitelist(
                house.parts.wallet_terms,
                tx,
                merchant.merchant_id,
                int(entry["whitelistId"]),
                Decision(True, "ana"),
            )
        assert (await merchant.order("/v1/wallet/withdraw", merchant.withdrawal("10"))).code == "ADDRESS_COOLING"
        await merchant.post("/v1/mock/clock/advance", {"seconds": 3601})

        async def accepted() -> bool:
            return (await merchant.order("/v1/wallet/withdraw", merchant.withdrawal("10"))).status == 200

        await house.until(accepted)
