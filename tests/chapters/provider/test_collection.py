"""A provider's customers pay on chain; the provider accepts into dollars, or sends back, over signed HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest

from bpn.audit.model import Decision
from bpn.chapters.provider import operations as provider
from bpn.kernel.errors import InvalidState
from bpn.kernel.money import Money
from installation import OUTSIDE, Installation, Merchant, receiving

LINK, WALLET = "/v1/provider/sub-wallet/create-link", "/v1/provider/sub-wallet/detail"
CHANGE = "/v1/provider/sub-wallet/change-status"
LIST, STATUS = "/v1/provider/collection-order/list", "/v1/provider/collection-order/status"
QUOTE = "/v1/provider/collection-order/quote"
ACCEPT, REJECT = "/v1/provider/collection-order/accept", "/v1/provider/collection-order/reject"
BALANCE, PAYOUT = "/v1/provider/usd/balance", "/v1/provider/usd/payout"
ANN = {"accountHolderName": "Ann Smith", "accountNumber": "123456789", "routingNumber": "021000021"}
YES = Decision(approved=True, actor="ana", reason="test")
_numbers = count(1)


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def opened(merchant: Merchant) -> dict[str, Any]:
    number = next(_numbers)
    link = await merchant.post(
        LINK, {"requestId": f"r-{number}", "partnerUserId": f"p-{number}", "accountName": "Loja Azul"}
    )
    found: dict[str, Any] = await merchant.get(WALLET, walletId=link["walletId"])
    return found


async def paid(house: Installation, merchant: Merchant, wallet: dict[str, Any], amount: str = "100") -> dict[str, Any]:
    """The order that a payment to a customer's address has become."""
    await pay(house, wallet, amount)
    found: dict[str, Any] = await house.until(lambda: newest(merchant, wallet))
    return found


async def pay(house: Installation, wallet: dict[str, Any], amount: str = "100") -> str:
    token = house.parts.wallet_terms.networks["BSC"].tokens["USDT"]
    address = wallet["addresses"][0]["address"]
    return await house.chains["BSC"].send_token(token.contract, address, Money.parse(amount, token.asset).minor)


async def newest(merchant: Merchant, wallet: dict[str, Any]) -> dict[str, Any] | None:
    found = (await merchant.get(LIST, walletId=wallet["walletId"]))["list"]
    return found[0] if found else None


async def order_in(merchant: Merchant, order_id: str, **fields: str) -> dict[str, Any] | None:
    order: dict[str, Any] = await merchant.get(STATUS, orderId=order_id)
    return order if all(order[name] == value for name, value in fields.items()) else None


async def quoted(merchant: Merchant, order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await merchant.get(QUOTE, orderId=order["orderId"])
    return {"orderId": order["orderId"], "quoteId": found["quote"]["quoteId"]}


async def dollars(merchant: Merchant) -> tuple[str, str]:
    found = await merchant.get(BALANCE, currency="USD")
    return found["available"], found["unavailable"]


async def test_a_payment_becomes_dollars_at_the_quote(house: Installation, merchant: Merchant) -> None:
    wallet = await opened(merchant)
    assert wallet["status"] == "ACTIVE"
    assert {one["network"] for one in wallet["addresses"]} == {"BSC", "ETH"}
    order = await paid(house, merchant, wallet)
    assert (order["orderStatus"], order["acceptStatus"], order["amount"]) == ("PROCESSING", "ACCEPTING", "100")
    assert order["aml"] == {"amlStatus": "PASSED", "riskLevel": "LOW"}
    assert order["quote"] is None
    assert await dollars(merchant) == ("0", "0")
    body = await quoted(merchant, order)
    assert await quoted(merchant, order) == body
    done = await merchant.post(ACCEPT, body)
    assert (done["orderStatus"], done["acceptStatus"]) == ("COMPLETED", "ACCEPTED")
    assert (await dollars(merchant))[0] == done["usdAmount"]
    assert await merchant.available(wallet_id=wallet["walletId"]) == "0"
    (line,) = (await merchant.get("/v1/wallet/history", walletId=wallet["walletId"], transactionType="ORDER"))["list"]
    assert (line["fromCurrency"], line["toCurrency"], line["amount"]) == ("USDT", "USD", "100")


async def test_accept_and_reject_at_once_exactly_one_wins(house: Installation, merchant: Merchant) -> None:
    wallet = await opened(merchant)
    order = await paid(house, merchant, wallet)
    body = await quoted(merchant, order)
    refusal = {"orderId": order["orderId"], "reason": "unknown payer", "refundAddress": OUTSIDE}
    answers = await asyncio.gather(
        *(merchant.order(ACCEPT, body) for _ in range(3)), *(merchant.order(REJECT, refusal) for _ in range(3))
    )
    assert sorted(answer.code or "" for answer in answers).count("INVALID_STATE") == 5
    after = await merchant.get(STATUS, orderId=order["orderId"])
    assert after["orderStatus"] in {"COMPLETED", "REJECTED"}
    assert ((await dollars(merchant))[0] != "0") == (after["orderStatus"] == "COMPLETED")


async def test_a_rejected_payment_goes_back_once(house: Installation, merchant: Merchant) -> None:
    wallet = await opened(merchant)
    order = await paid(house, merchant, wallet)
    without = await merchant.order(REJECT, {"orderId": order["orderId"], "reason": "unknown payer"})
    assert without.fields == ["refundAddress"]
    assert await order_in(merchant, order["orderId"], orderStatus="PROCESSING")
    body = {"orderId": order["orderId"], "reason": "unknown payer", "refundAddress": OUTSIDE}
    rejected = await merchant.post(REJECT, body)
    assert (rejected["orderStatus"], rejected["refundStatus"]) == ("REJECTED", "PROCESSING")
    assert (await merchant.order(REJECT, {**body, "reason": "again"})).code == "INVALID_STATE"
    done = await house.until(lambda: order_in(merchant, order["orderId"], refundStatus="SUCCESS"))
    assert done["refundHash"] is not None
    assert await dollars(merchant) == ("0", "0")


async def test_an_expired_quote_is_renewed_and_never_applied(house: Installation, merchant: Merchant) -> None:
    order = await paid(house, merchant, await opened(merchant))
    body = await quoted(merchant, order)
    await merchant.post("/v1/mock/clock/advance", {"seconds": int(timedelta(minutes=16).total_seconds())})
    await house.work()
    assert (await merchant.order(ACCEPT, body)).code == "QUOTE_EXPIRED"
    assert await dollars(merchant) == ("0", "0")
    again = await quoted(merchant, order)
    assert again != body
    assert (await merchant.order(ACCEPT, body)).code == "QUOTE_NOT_FOUND"
    assert (await merchant.post(ACCEPT, again))["orderStatus"] == "COMPLETED"


async def test_a_frozen_wallet_s_orders_cannot_be_accepted(house: Installation, merchant: Merchant) -> None:
    wallet = await opened(merchant)
    order = await paid(house, merchant, wallet)
    body = await quoted(merchant, order)
    frozen = await merchant.post(CHANGE, {"walletId": wallet["walletId"], "status": "FROZEN", "reason": "odd"})
    assert (frozen["status"], frozen["frozenBy"]) == ("FROZEN", "PROVIDER")
    assert (await merchant.order(ACCEPT, body)).code == "INVALID_STATE"
    await merchant.post(CHANGE, {"walletId": wallet["walletId"], "status": "ACTIVE"})
    async with house.parts.database.transaction() as tx:
        await provider.freeze_sub_wallet(tx, merchant.merchant_id, wallet["walletId"], YES)
    thawing = await merchant.order(CHANGE, {"walletId": wallet["walletId"], "status": "ACTIVE", "reason": "mine"})
    assert thawing.code == "INVALID_STATE"
    assert (await merchant.order(ACCEPT, body)).code == "INVALID_STATE"
    assert await dollars(merchant) == ("0", "0")


async def test_a_reorg_takes_an_open_order(house: Installation, merchant: Merchant) -> None:
    wallet = await opened(merchant)
    order = await paid(house, merchant, wallet)
    body = await quoted(merchant, order)
    await house.chains["BSC"].reorganise(6, keep=False)
    await house.work()
    gone = await house.until(lambda: order_in(merchant, order["orderId"], orderStatus="FAILED"))
    assert gone["acceptStatus"] == "REJECTED"
    assert (await merchant.order(ACCEPT, body)).code == "INVALID_STATE"
    assert await dollars(merchant) == ("0", "0")


async def test_another_merchant_s_ids_are_unknown(house: Installation, merchant: Merchant) -> None:
    wallet = await opened(merchant)
    order = await paid(house, merchant, wallet)
    body = await quoted(merchant, order)
    other = await house.merchant()
    assert (await other.ask(WALLET, walletId=wallet["walletId"])).code == "SUB_WALLET_NOT_FOUND"
    assert (await other.ask(STATUS, orderId=order["orderId"])).code == "COLLECTION_ORDER_NOT_FOUND"
    assert (await other.ask(QUOTE, orderId=order["orderId"])).code == "COLLECTION_ORDER_NOT_FOUND"
    assert (await other.order(ACCEPT, body)).code == "COLLECTION_ORDER_NOT_FOUND"
    refusal = {"orderId": order["orderId"], "reason": "x", "refundAddress": OUTSIDE}
    assert (await other.order(REJECT, refusal)).code == "COLLECTION_ORDER_NOT_FOUND"
    assert (await other.get(LIST))["list"] == []


async def test_dollars_are_paid_out(house: Installation, merchant: Merchant) -> None:
    order = await paid(house, merchant, await opened(merchant))
    await merchant.post(ACCEPT, await quoted(merchant, order))
    body = {"merchantOrderId": f"out-{next(_numbers)}", "amount": "20", "beneficiary": ANN}
    made = await merchant.post(PAYOUT, body)
    assert (made["amount"], made["status"]) == ("20", "PROCESSING")
    assert (await dollars(merchant))[1] != "0"

    async def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = await merchant.get(f"{PAYOUT}/status", orderId=made["orderId"])
        return found if found["status"] == "SUCCESS" else None

    done = await house.until(ended)
    assert (await merchant.get(f"{PAYOUT}/list"))["list"] == [done]
    assert (await dollars(merchant))[1] == "0"
    other = await house.merchant()
    assert (await other.ask(f"{PAYOUT}/status", orderId=made["orderId"])).code == "USD_PAYOUT_NOT_FOUND"
    rich = await merchant.order(PAYOUT, {**body, "merchantOrderId": "too-much", "amount": "100000"})
    assert rich.code == "INSUFFICIENT_BALANCE"


async def test_an_order_that_waits_too_long_is_expired_and_may_still_be_accepted(
    house: Installation, merchant: Merchant
) -> None:
    order = await paid(house, merchant, await opened(merchant))
    await merchant.post("/v1/mock/clock/advance", {"seconds": 86_500})
    expired = await house.until(lambda: order_in(merchant, order["orderId"], acceptStatus="EXPIRED"))
    assert expired["orderStatus"] == "PROCESSING"
    assert (await merchant.post(ACCEPT, await quoted(merchant, order)))["acceptStatus"] == "ACCEPTED"


async def test_the_customer_confirms_its_name_and_sees_the_address(house: Installation, merchant: Merchant) -> None:
    body = {"requestId": "page", "partnerUserId": "p", "accountName": "<b>Ana & Co</b>"}
    link = await merchant.post(LINK, body)
    path = urlsplit(link["url"]).path
    wallet = await merchant.get(WALLET, walletId=link["walletId"])
    address = wallet["addresses"][0]["address"]
    asked = await house.http.get(path)
    assert (asked.status_code, address in asked.text, "<b>Ana" in asked.text) == (200, False, False)
    assert (await house.http.post(f"{path}/confirm")).status_code == 303
    assert (await house.http.post(f"{path}/confirm")).status_code == 303
    for language in ("en", "es", "pt-BR", "zh"):
        shown = await house.http.get(path, headers={"Accept-Language": language})
        assert (shown.status_code, address in shown.text) == (200, True)
        assert f'lang="{language}"' in shown.text
    assert (await house.http.get(f"{path}x")).status_code == 404
    assert (await house.http.post(f"{path}x/confirm")).status_code == 404
    for wrong in ("http://shop.example", "https://shop.example@evil.example/", "javascript:alert(1)"):
        answer = await merchant.order(LINK, {**body, "requestId": wrong, "returnUrl": wrong})
        assert answer.fields == ["returnUrl"]


async def test_a_closed_wallet_stays_closed(merchant: Merchant) -> None:
    wallet = await opened(merchant)
    closed = await merchant.post(CHANGE, {"walletId": wallet["walletId"], "status": "CLOSED", "reason": "left"})
    assert closed["status"] == "CLOSED"
    for status in ("ACTIVE", "FROZEN"):
        answer = await merchant.order(CHANGE, {"walletId": wallet["walletId"], "status": status})
        assert answer.code == "INVALID_STATE"


async def test_each_step_is_told_by_event(house: Installation) -> None:
    async with receiving() as receiver:
        merchant = await house.merchant(receiver.url)
        receiver.secret = merchant.api_secret
        order = await paid(house, merchant, await opened(merchant))
        await merchant.post(ACCEPT, await quoted(merchant, order))
        await merchant.post(PAYOUT, {"merchantOrderId": "told", "amount": "20", "beneficiary": ANN})

        async def told() -> bool:
            return bool(receiver.of("USD_PAYOUT_ORDER_UPDATED", "SUCCESS"))

        await house.until(told)
        assert receiver.of("SUB_WALLET_UPDATED", "ACTIVE")
        (done,) = receiver.of("COLLECT_ORDER_UPDATED", "COMPLETED")
        assert (done["referenceId"], done["data"]["acceptStatus"]) == (order["orderId"], "ACCEPTED")


async def test_a_customer_that_waits_gets_its_address_by_the_operator_s_word(
    house: Installation, merchant: Merchant
) -> None:
    asking = replace(house.parts.provider_terms, needs_approval=True)
    command = provider.LinkCommand("waits", "p", "Loja Azul", None, None)
    async with house.parts.database.transaction() as tx:
        made = await provider.create_collection_account_link(asking, tx, merchant.merchant_id, command)
    assert (made.status, made.address) == ("PENDING", None)
    waiting = await merchant.get(WALLET, walletId=made.wallet_id)
    assert waiting["addresses"] == []
    answer = await merchant.order(CHANGE, {"walletId": made.wallet_id, "status": "ACTIVE"})
    assert answer.code == "INVALID_STATE"
    async with house.parts.database.transaction() as tx:
        assert made.wallet_id in {one.wallet_id for one in await provider.list_pending_sub_wallets(tx)}
        await provider.decide_sub_wallet(asking, tx, merchant.merchant_id, made.wallet_id, YES)
    active = await merchant.get(WALLET, walletId=made.wallet_id)
    assert (active["status"], bool(active["addresses"])) == ("ACTIVE", True)
    with pytest.raises(InvalidState):
        async with house.parts.database.transaction() as tx:
            await provider.decide_sub_wallet(asking, tx, merchant.merchant_id, made.wallet_id, YES)
