"""Happening once: the merchant's own ids, used signatures, and many equal requests at the same moment."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from bpn.client import signed_headers
from installation import Answer, Installation, Merchant

TRANSFER = "/v1/wallet/internal-transfer"
CREATE = "/v1/wallet/sub-account/create"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    merchant = await house.merchant()
    await merchant.fund("100")
    return merchant


async def transfer_body(merchant: Merchant, reference: str | None, amount: str = "10") -> dict[str, object]:
    body: dict[str, object] = {
        "fromWalletId": merchant.wallet_id,
        "toWalletId": await merchant.sub_wallet(f"to {reference}"),
        "currency": "USDT",
        "amount": amount,
    }
    return body if reference is None else {"merchantTransactionId": reference, **body}


async def test_the_same_id_and_content_gets_the_first_answer_again(merchant: Merchant) -> None:
    body = await transfer_body(merchant, "t-1")
    first, again = await merchant.order(TRANSFER, body), await merchant.order(TRANSFER, body)
    assert first.data == again.data
    assert await merchant.available() == "90"


async def test_the_same_id_with_other_content_conflicts(merchant: Merchant) -> None:
    body = await transfer_body(merchant, "t-2")
    await merchant.post(TRANSFER, body)
    answer = await merchant.order(TRANSFER, {**body, "amount": "11"})
    assert (answer.status, answer.code) == (409, "IDEMPOTENCY_CONFLICT")
    assert "t-2" in answer.body["msg"]
    assert await merchant.available() == "90"


async def test_a_refusal_does_not_consume_the_id(merchant: Merchant) -> None:
    body = await transfer_body(merchant, "t-3", "1000")
    assert (await merchant.order(TRANSFER, body)).code == "INSUFFICIENT_BALANCE"
    assert (await merchant.order(TRANSFER, {**body, "amount": "5"})).status == 200


async def test_another_merchants_equal_id_is_another(house: Installation, merchant: Merchant) -> None:
    other = await house.merchant()
    first = await merchant.post(CREATE, {"name": "A", "requestId": "same"})
    second = await other.post(CREATE, {"name": "A", "requestId": "same"})
    assert first["walletId"] != second["walletId"]


async def test_the_header_means_the_same(merchant: Merchant) -> None:
    key = {"Idempotency-Key": "header-1"}
    body = {"name": "By header"}
    first, again = [await merchant.order(CREATE, body, **key) for _ in range(2)]
    assert first.data == again.data
    assert (await merchant.order(CREATE, {"name": "Other"}, **key)).code == "IDEMPOTENCY_CONFLICT"


async def test_50_equal_requests_at_once_happen_once(house: Installation, merchant: Merchant) -> None:
    body = await transfer_body(merchant, "t-50")
    answers = await asyncio.gather(*(merchant.order(TRANSFER, body) for _ in range(50)))
    assert {answer.code for answer in answers} <= {None, "REQUEST_IN_PROGRESS"}
    assert len({answer.data["transactionId"] for answer in answers if answer.status == 200}) == 1
    assert await merchant.available() == "90"


async def test_each_of_a_batch_gets_its_own_right_answer(merchant: Merchant) -> None:
    """Some accepted, some refused, some repeated, some conflicting, all at the same moment."""
    good = [await transfer_body(merchant, f"b-{n}", "1") for n in range(20)]
    large = [{**body, "merchantTransactionId": f"l-{n}", "amount": "500"} for n, body in enumerate(good)]
    other = [{**body, "amount": "2"} for body in good]
    lost = [{**body, "merchantTransactionId": f"x-{n}", "toWalletId": 1} for n, body in enumerate(good)]
    mixed = [body for group in zip(good, large, good, lost, other, strict=True) for body in group]
    answers: list[Answer] = await asyncio.gather(*(merchant.order(TRANSFER, body) for body in mixed))
    codes = Counter(answer.code for answer in answers)
    assert codes["INSUFFICIENT_BALANCE"] == 20
    assert codes["WALLET_NOT_FOUND"] == 20
    assert codes["IDEMPOTENCY_CONFLICT"] + codes["REQUEST_IN_PROGRESS"] + codes[None] == 60
    for n in range(20):
        five = answers[5 * n : 5 * n + 5]
        assert len({answer.data["transactionId"] for answer in five if answer.status == 200}) == 1
    left = int(await merchant.available())
    moved = sum(
        int(one.data["amount"])
        for one in {a.data["transactionId"]: a for a in answers if a.data and "amount" in a.data}.values()
    )
    assert left == 100 - moved


async def signed(merchant: Merchant, body: dict[str, object]) -> tuple[bytes, dict[str, str]]:
    raw = json.dumps(body).encode()
    headers = signed_headers(merchant.api_key, merchant.api_secret, raw, merchant.timestamp())
    return raw, headers | {"Content-Type": "application/json"}


async def test_the_same_bytes_again_are_a_retry_where_there_is_an_id(house: Installation, merchant: Merchant) -> None:
    raw, headers = await signed(merchant, await transfer_body(merchant, "r-1"))
    first, again = [await house.send("POST", TRANSFER, raw, headers) for _ in range(2)]
    assert (again.status, again.data) == (200, first.data)
    assert await merchant.available() == "90"


async def test_without_an_id_the_signature_is_the_id(house: Installation, merchant: Merchant) -> None:
    raw, headers = await signed(merchant, await transfer_body(merchant, None))
    first, again = [await house.send("POST", TRANSFER, raw, headers) for _ in range(2)]
    assert (again.status, again.data) == (200, first.data)
    assert await merchant.available() == "90"


async def test_the_same_bytes_on_another_path_are_a_replay(house: Installation, merchant: Merchant) -> None:
    raw, headers = await signed(merchant, await transfer_body(merchant, "r-2"))
    assert (await house.send("POST", TRANSFER, raw, headers)).status == 200
    answer = await house.send("POST", "/v1/wallet/withdraw", raw, headers)
    assert (answer.status, answer.code) == (401, "REPLAYED_REQUEST")


async def test_the_same_bytes_where_there_is_no_id_are_a_replay(house: Installation, merchant: Merchant) -> None:
    raw, headers = await signed(merchant, {"walletId": merchant.wallet_id, "currency": "USDT", "amount": "5"})
    assert (await house.send("POST", "/v1/mock/wallet/deposit", raw, headers)).status == 200
    assert (await house.send("POST", "/v1/mock/wallet/deposit", raw, headers)).code == "REPLAYED_REQUEST"


async def test_a_refused_request_keeps_its_signature_used(house: Installation, merchant: Merchant) -> None:
    raw, headers = await signed(merchant, await transfer_body(merchant, "r-3", "1000"))
    assert (await house.send("POST", TRANSFER, raw, headers)).code == "INSUFFICIENT_BALANCE"
    assert (await house.send("POST", CREATE, raw, headers)).code == "REPLAYED_REQUEST"


async def test_a_reading_may_be_repeated(house: Installation, merchant: Merchant) -> None:
    headers = signed_headers(merchant.api_key, merchant.api_secret, b"", merchant.timestamp())
    for _ in range(3):
        assert (await house.send("GET", "/v1/wallet/asset-balance", b"", headers)).status == 200
