"""Refunds: to the payer, never more than was paid, also in parallel; one that fails counts no longer."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from bpn.ports.readers import BankParty
from fiat import REFUND, balance, ended, fund, known, open_account, order, orders, receive, record, told
from installation import Installation, Merchant


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def test_of_fifty_in_parallel_of_sixty_percent_one_passes(merchant: Merchant) -> None:
    account_id = await fund(merchant, "100")
    await fund(merchant, "10000")
    (paid,) = await orders(merchant, accountId=account_id)
    answers = await asyncio.gather(
        *(
            merchant.order(REFUND, {"orderId": paid["orderId"], "amount": "60", "merchantOrderId": f"r-{number}"})
            for number in range(50)
        )
    )
    assert Counter(answer.code for answer in answers) == {None: 1, "REFUND_EXCEEDS_PAYIN": 49}
    await ended(merchant, next(answer.data for answer in answers if answer.code is None), "SUCCESS")
    after = await order(merchant, paid["orderId"])
    assert after is not None
    assert after["refundedAmount"] == "60"
    assert await balance(merchant) == ("10040", "0")


async def test_a_refused_one_undoes_nothing_and_the_rest_can_follow(merchant: Merchant) -> None:
    account_id = await fund(merchant, "100")
    (paid,) = await orders(merchant, accountId=account_id)
    first = await merchant.post(REFUND, {"orderId": paid["orderId"], "amount": "60"})
    refused = await merchant.order(REFUND, {"orderId": paid["orderId"], "amount": "41"})
    assert (refused.status, refused.code, refused.fields) == (422, "REFUND_EXCEEDS_PAYIN", ["amount"])
    await ended(merchant, first, "SUCCESS")
    rest = await merchant.post(REFUND, {"orderId": paid["orderId"]})
    assert rest["amount"] == "40"
    await ended(merchant, rest, "SUCCESS")
    assert await balance(merchant) == ("0", "0")
    nothing = await merchant.order(REFUND, {"orderId": paid["orderId"]})
    assert nothing.code == "REFUND_EXCEEDS_PAYIN"


@pytest.mark.parametrize(("amount", "status"), [("10.66", "FAILED"), ("10.67", "RETURNED")])
async def test_one_that_does_not_reach_the_payer_counts_no_longer(merchant: Merchant, amount: str, status: str) -> None:
    account_id = await fund(merchant, "100")
    (paid,) = await orders(merchant, accountId=account_id)
    await ended(merchant, await merchant.post(REFUND, {"orderId": paid["orderId"], "amount": amount}), status)
    assert (await order(merchant, paid["orderId"]))["refundedAmount"] == "0"  # type: ignore[index]
    assert await balance(merchant) == ("100", "0")


async def test_by_account_where_one_payer_paid(merchant: Merchant) -> None:
    account_id = await fund(merchant, "100")
    body = {"accountId": account_id, "currency": "BRL", "amount": "25", "merchantOrderId": "by-account"}
    refund = await merchant.post(REFUND, body)
    assert refund["beneficiary"]["name"] == "Ana Sousa"
    assert (await merchant.post(REFUND, body)) == refund
    await ended(merchant, refund, "SUCCESS")


async def test_by_account_where_several_paid_is_ambiguous(house: Installation, merchant: Merchant) -> None:
    opened = await known(house, merchant, (await open_account(merchant))["accountId"])
    await record(house, told(opened, "a"), told(opened, "b", payer=BankParty(name="Bruno Dias", account="999")))
    body = {"accountId": str(opened.account_id), "currency": "BRL", "amount": "5"}
    answer = await merchant.order(REFUND, body)
    assert (answer.status, answer.code) == (422, "PAYER_AMBIGUOUS")
    (paid, _) = await orders(merchant)
    await merchant.post(REFUND, {"orderId": paid["orderId"], "amount": "5"})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_REQUEST"),
        ({"orderId": "1", "accountId": "1"}, "INVALID_REQUEST"),
        ({"orderId": "1"}, "ORDER_NOT_FOUND"),
        ({"accountId": "1", "currency": "BRL", "amount": "1"}, "VIRTUAL_ACCOUNT_NOT_FOUND"),
        ({"orderId": "1", "amount": "-5", "currency": "BRL"}, "INVALID_REQUEST"),
        ({"orderId": "1", "amount": "0", "currency": "BRL"}, "INVALID_REQUEST"),
        ({"orderId": "1", "amount": "0.001", "currency": "BRL"}, "INVALID_REQUEST"),
        ({"orderId": "1", "amount": "1", "currency": "XYZ"}, "UNSUPPORTED_CURRENCY"),
    ],
)
async def test_bad_requests(merchant: Merchant, body: dict[str, object], code: str) -> None:
    assert (await merchant.order(REFUND, body)).code == code


async def test_only_what_is_the_merchants_is_refunded(merchant: Merchant) -> None:
    opened = await open_account(merchant, "EUR")
    back = await receive(merchant, opened["accountId"], "10", "RETURNED", currency="USD")
    answer = await merchant.order(REFUND, {"orderId": back["orderId"]})
    assert (answer.status, answer.code) == (409, "INVALID_STATE")
    (returned,) = await orders(merchant, orderType="RETURN")
    answer = await merchant.order(REFUND, {"orderId": returned["orderId"]})
    assert (answer.status, answer.code) == (404, "ORDER_NOT_FOUND")
