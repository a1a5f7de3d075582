"""Wallets, sub-accounts, deposit addresses, balances, network terms: good and bad paths."""

from __future__ import annotations

import asyncio

import pytest

from installation import Installation, Merchant


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


class TestListWallets:
    async def test_pages_newest_first(self, merchant: Merchant) -> None:
        made = [await merchant.sub_wallet(f"Store {n}") for n in range(5)]
        page = await merchant.get("/v1/wallet/list", pageSize=4)
        assert (page["total"], page["pageNum"], page["pageSize"]) == (6, 1, 4)
        assert [row["walletId"] for row in page["list"]] == made[::-1][:4]
        second = await merchant.get("/v1/wallet/list", pageSize=4, pageNum=2)
        assert [row["walletId"] for row in second["list"]] == [made[0], merchant.wallet_id]
        deep = await merchant.get("/v1/wallet/list", pageSize=4, cursor=page["cursor"])
        assert deep["list"] == second["list"]

    async def test_filters(self, merchant: Merchant) -> None:
        store = await merchant.sub_wallet("Store")
        assert [row["walletId"] for row in (await merchant.get("/v1/wallet/list", name="Store"))["list"]] == [store]
        primary = await merchant.get("/v1/wallet/list", walletType="primary")
        assert [row["walletId"] for row in primary["list"]] == [merchant.wallet_id]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"walletType": "secret"}, "walletType"),
            ({"pageNum": 0}, "pageNum"),
            ({"pageSize": 201}, "pageSize"),
            ({"pageSize": "many"}, "pageSize"),
            ({"cursor": "x"}, "cursor"),
        ],
    )
    async def test_refuses(self, merchant: Merchant, query: dict[str, object], field: str) -> None:
        answer = await merchant.ask("/v1/wallet/list", **query)
        assert (answer.status, answer.fields) == (400, [field])


class TestCreateSubAccount:
    async def test_opens_a_wallet_with_its_own_balance(self, merchant: Merchant) -> None:
        body = {"name": "Store 12", "merchantUserId": "u-1", "requestId": "s-1"}
        made = await merchant.post("/v1/wallet/sub-account/create", body)
        assert (made["name"], made["walletType"], made["merchantUserId"]) == ("Store 12", "sub", "u-1")
        assert made["walletId"] < 2**53
        assert await merchant.available(wallet_id=made["walletId"]) == "0"
        listed = await merchant.get("/v1/wallet/sub-account/list")
        assert [row["walletId"] for row in listed["list"]] == [made["walletId"]]

    async def test_a_name_is_unique_per_merchant(self, house: Installation, merchant: Merchant) -> None:
        await merchant.sub_wallet("Store")
        answer = await merchant.order("/v1/wallet/sub-account/create", {"name": "Store"})
        assert (answer.status, answer.code) == (409, "WALLET_NAME_TAKEN")
        await (await house.merchant()).sub_wallet("Store")


class TestGetDepositAddress:
    async def test_is_the_same_forever_and_nobody_elses(self, house: Installation, merchant: Merchant) -> None:
        query = {"walletId": merchant.wallet_id, "currency": "USDT", "network": "BSC"}
        first = await merchant.get("/v1/wallet/deposit-address", **query)
        assert first == await merchant.get("/v1/wallet/deposit-address", **query)
        assert (first["minimumDeposit"], first["confirmations"], first["tag"]) == ("1", 3, None)
        other = await house.merchant()
        theirs = await other.get("/v1/wallet/deposit-address", currency="USDT")
        assert theirs["address"] != first["address"]
        assert theirs["network"] == "BSC"

    async def test_200_parallel_first_calls_give_one_address(self, merchant: Merchant) -> None:
        calls = (merchant.get("/v1/wallet/deposit-address", currency="USDC", network="ETH") for _ in range(200))
        assert len({answer["address"] for answer in await asyncio.gather(*calls)}) == 1

    @pytest.mark.parametrize(
        ("query", "status", "code"),
        [
            ({}, 400, "INVALID_REQUEST"),
            ({"currency": "DOGE"}, 422, "UNSUPPORTED_CURRENCY"),
            ({"currency": "USDT", "network": "TRON"}, 422, "UNSUPPORTED_NETWORK"),
            ({"currency": "USDT", "walletId": 17}, 404, "WALLET_NOT_FOUND"),
            ({"currency": "USDT", "walletId": "x"}, 400, "INVALID_REQUEST"),
        ],
    )
    async def test_refuses(self, merchant: Merchant, query: dict[str, object], status: int, code: str) -> None:
        answer = await merchant.ask("/v1/wallet/deposit-address", **query)
        assert (answer.status, answer.code) == (status, code)

    async def test_another_merchants_wallet_answers_like_none(self, house: Installation, merchant: Merchant) -> None:
        other = await house.merchant()
        answers = [
            await merchant.ask("/v1/wallet/deposit-address", currency="USDT", walletId=wallet)
            for wallet in (other.wallet_id, 17)
        ]
        assert {(answer.status, answer.code) for answer in answers} == {(404, "WALLET_NOT_FOUND")}


class TestGetAssetBalance:
    async def test_begins_with_the_public_keys_in_their_order(self, merchant: Merchant) -> None:
        shown = await merchant.get("/v1/wallet/asset-balance")
        assert list(shown)[:6] == ["totalAvailable", "totalAvailableCurrency", "id", "walletType", "name", "wallets"]
        first = shown["wallets"][0]
        assert list(first)[:5] == ["currency", "currencyFullName", "available", "unavailable", "balanceChange"]
        assert {entry["currency"] for entry in shown["wallets"]} == {"USDT", "USDC"}

    async def test_numbers_are_exact(self, merchant: Merchant) -> None:
        await merchant.receive("123456789.123456789012345678")
        answer = await merchant.ask("/v1/wallet/asset-balance", currency="USDT")
        assert '"available":123456789.123456789012345678,' in answer.text
        assert answer.data["totalAvailable"] == 123456789.12

    async def test_currencies_of_several_networks_are_summed_only_for_display(self, merchant: Merchant) -> None:
        await merchant.receive("10", "USDT", "BSC")
        await merchant.receive("5", "USDT", "ETH")
        (entry,) = (await merchant.get("/v1/wallet/asset-balance", currency="usdt"))["wallets"]
        assert (entry["available"], entry["balanceChange"]) == (15, 15)
        assert {(one["network"], one["available"]) for one in entry["networks"]} == {("BSC", "10"), ("ETH", "5")}
        answer = await merchant.order("/v1/wallet/withdraw", merchant.withdrawal("12"))
        assert answer.code in {"INSUFFICIENT_BALANCE", "ADDRESS_NOT_WHITELISTED"}

    @pytest.mark.parametrize(
        ("query", "status", "code"),
        [
            ({"currency": "DOGE"}, 422, "UNSUPPORTED_CURRENCY"),
            ({"walletId": 17}, 404, "WALLET_NOT_FOUND"),
            ({"walletId": -1}, 400, "INVALID_REQUEST"),
            ({"walletId": 2**53}, 400, "INVALID_REQUEST"),
        ],
    )
    async def test_refuses(self, merchant: Merchant, query: dict[str, object], status: int, code: str) -> None:
        answer = await merchant.ask("/v1/wallet/asset-balance", **query)
        assert (answer.status, answer.code) == (status, code)


async def test_network_config_tells_the_terms(merchant: Merchant) -> None:
    rows = (await merchant.get("/v1/wallet/currency-network-config"))["list"]
    assert {(row["currency"], row["network"], row["chainId"], row["scale"]) for row in rows} == {
        ("USDT", "BSC", 56, 18),
        ("USDC", "BSC", 56, 18),
        ("USDT", "ETH", 1, 6),
        ("USDC", "ETH", 1, 6),
    }
    assert all(row["withdrawalFee"] == "1" and row["confirmations"] == 3 for row in rows)
    (only,) = (await merchant.get("/v1/wallet/currency-network-config", currency="USDT", network="ETH"))["list"]
    assert only["depositEnabled"]
