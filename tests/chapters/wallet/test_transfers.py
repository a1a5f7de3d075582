"""Internal transfers: at once, free, exact under load; and the history that tells of them."""

from __future__ import annotations

import asyncio

import pytest

from installation import Installation, Merchant

TRANSFER = "/v1/wallet/internal-transfer"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    merchant = await house.merchant()
    await merchant.fund("1000")
    return merchant


def body(merchant: Merchant, target: int, amount: object, reference: str | None = None) -> dict[str, object]:
    return {
        "merchantTransactionId": reference,
        "fromWalletId": merchant.wallet_id,
        "toWalletId": target,
        "currency": "USDT",
        "amount": amount,
    }


class TestTransfer:
    async def test_moves_at_once_without_fee(self, merchant: Merchant) -> None:
        store = await merchant.sub_wallet()
        done = await merchant.post(TRANSFER, body(merchant, store, "12.5", "t"))
        assert (done["status"], done["fee"], done["network"], done["merchantTransactionId"]) == (
            "SUCCESS",
            "0",
            "BSC",
            "t",
        )
        assert (done["fromAccountId"], done["toAccountId"]) == (str(merchant.wallet_id), str(store))
        assert await merchant.available() == "987.5"
        assert await merchant.available(wallet_id=store) == "12.5"

    async def test_200_parallel_transfers_sum_up(self, merchant: Merchant) -> None:
        store = await merchant.sub_wallet()
        await asyncio.gather(*(merchant.post(TRANSFER, body(merchant, store, "0.25")) for _ in range(200)))
        assert await merchant.available(wallet_id=store) == "50"
        assert await merchant.available() == "950"

    async def test_100_parallel_debits_that_all_fit_all_succeed(self, merchant: Merchant) -> None:
        store = await merchant.sub_wallet()
        answers = await asyncio.gather(*(merchant.order(TRANSFER, body(merchant, store, 10)) for _ in range(100)))
        assert {answer.status for answer in answers} == {200}
        assert await merchant.available() == "0"

    async def test_both_directions_at_once(self, merchant: Merchant) -> None:
        store = await merchant.sub_wallet()
        await merchant.post(TRANSFER, body(merchant, store, "500"))
        back = {"fromWalletId": store, "toWalletId": merchant.wallet_id, "currency": "USDT", "amount": "1"}
        calls = [merchant.order(TRANSFER, one) for _ in range(50) for one in (body(merchant, store, "1"), back)]
        assert {answer.status for answer in await asyncio.gather(*calls)} == {200}
        assert await merchant.available() == "500"

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"amount": "1000.01"}, 422, "INSUFFICIENT_BALANCE"),
            ({"amount": "0"}, 400, "INVALID_REQUEST"),
            ({"amount": "-5"}, 400, "INVALID_REQUEST"),
            ({"amount": "1.0000000000000000001"}, 400, "INVALID_REQUEST"),
            ({"toWalletId": 17}, 404, "WALLET_NOT_FOUND"),
            ({"fromWalletId": 17}, 404, "WALLET_NOT_FOUND"),
            ({"currency": "DOGE"}, 422, "UNSUPPORTED_CURRENCY"),
            ({"network": "ETH"}, 422, "INSUFFICIENT_BALANCE"),
        ],
    )
    async def test_refuses_and_leaves_everything(
        self, merchant: Merchant, change: dict[str, object], status: int, code: str
    ) -> None:
        store = await merchant.sub_wallet()
        answer = await merchant.order(TRANSFER, {**body(merchant, store, "1"), **change})
        assert (answer.status, answer.code) == (status, code)
        assert await merchant.available() == "1000"

    async def test_to_itself_or_to_another_merchant_is_refused(self, house: Installation, merchant: Merchant) -> None:
        answer = await merchant.order(TRANSFER, body(merchant, merchant.wallet_id, "1"))
        assert (answer.code, answer.fields) == ("INVALID_REQUEST", ["toWalletId"])
        other = await house.merchant()
        assert (await merchant.order(TRANSFER, body(merchant, other.wallet_id, "1"))).code == "WALLET_NOT_FOUND"


class TestDetailAndList:
    async def test_by_either_id(self, house: Installation, merchant: Merchant) -> None:
        done = await merchant.post(TRANSFER, body(merchant, await merchant.sub_wallet(), "1", "mine"))
        path = f"{TRANSFER}/detail"
        assert await merchant.get(path, transactionId=done["transactionId"]) == done
        assert await merchant.get(path, merchantTransactionId="mine") == done
        assert (await merchant.ask(path)).status == 400
        both = await merchant.ask(path, transactionId=done["transactionId"], merchantTransactionId="mine")
        assert both.status == 400
        assert (await merchant.ask(path, transactionId="1")).code == "TRANSACTION_NOT_FOUND"
        other = await house.merchant()
        assert (await other.ask(path, transactionId=done["transactionId"])).code == "TRANSACTION_NOT_FOUND"

    async def test_only_transfers_are_listed(self, merchant: Merchant) -> None:
        store = await merchant.sub_wallet()
        made = [(await merchant.post(TRANSFER, body(merchant, store, "1", f"t{n}")))["transactionId"] for n in range(3)]
        listed = await merchant.get(f"{TRANSFER}/list")
        assert [row["transactionId"] for row in listed["list"]] == made[::-1]
        assert (await merchant.get(f"{TRANSFER}/list", walletId=store))["total"] == 3
        assert (await merchant.get(f"{TRANSFER}/list", merchantTransactionId="t1"))["total"] == 1


class TestHistory:
    async def test_paging_is_stable_while_rows_are_added(self, merchant: Merchant) -> None:
        store = await merchant.sub_wallet()
        for n in range(10):
            await merchant.post(TRANSFER, body(merchant, store, "1", f"h{n}"))
        seen: list[str] = []
        cursor: dict[str, object] = {}
        while True:
            page = await merchant.get("/v1/wallet/history", pageSize=3, **cursor)
            seen += [row["transactionId"] for row in page["list"]]
            await merchant.post(TRANSFER, body(merchant, store, "1"))
            if page["cursor"] is None:
                break
            cursor = {"cursor": page["cursor"]}
        assert len(seen) == len(set(seen)) == 11

    async def test_filters(self, merchant: Merchant) -> None:
        store = await merchant.sub_wallet()
        done = await merchant.post(TRANSFER, body(merchant, store, "1", "f"))

        async def total(**query: object) -> int:
            return (await merchant.get("/v1/wallet/history", **query))["total"]

        assert await total() == 2
        assert await total(transactionType="DEPOSIT") == 1
        assert await total(status="SUCCESS") == 1
        assert await total(currency="USDC") == 0
        assert await total(network="ETH") == 0
        assert await total(walletId=store) == 1
        assert await total(merchantTransactionId="f") == 1
        assert await total(transactionId=done["transactionId"]) == 1
        assert await total(startTime=done["createTime"]) == 1
        assert await total(endTime=done["createTime"]) == 1
        assert await total(hash="0x" + "00" * 32) == 0

    async def test_a_row_begins_with_the_public_fields(self, merchant: Merchant) -> None:
        (row,) = (await merchant.get("/v1/wallet/history"))["list"]
        assert list(row)[:8] == [
            "transactionId", "merchantTransactionId", "userId", "merchantUserId", "fromCurrency", "toCurrency",
            "fromAccountId", "toAccountId",
        ]  # fmt: skip
        assert isinstance(row["walletId"], int)
        assert isinstance(row["amount"], str)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"transactionType": "GIFT"}, "transactionType"),
            ({"status": "DONE"}, "status"),
            ({"hash": "0x12"}, "hash"),
            ({"startTime": "yesterday"}, "startTime"),
            ({"startTime": 10**18}, "startTime"),
            ({"transactionId": "abc"}, "transactionId"),
        ],
    )
    async def test_refuses(self, merchant: Merchant, query: dict[str, object], field: str) -> None:
        answer = await merchant.ask("/v1/wallet/history", **query)
        assert (answer.status, answer.fields) == (400, [field])

    @pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "${7*7}", "{{7*7}}", "\\"])
    async def test_a_string_is_never_code(self, merchant: Merchant, text: str) -> None:
        assert (await merchant.get("/v1/wallet/history", merchantTransactionId=text))["total"] == 0
        wallet = await merchant.post("/v1/wallet/sub-account/create", {"name": text})
        assert wallet["name"] == text
