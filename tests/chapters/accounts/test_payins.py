"""Pay-ins: told twice, in parallel, out of order, to the wrong place, and taken back: each has one effect."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bpn.audit.model import Decision
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import BankExceptionNotFound
from bpn.controls import operations as controls
from bpn.controls.model import FeeTerms, Operation, Scope
from bpn.ports.readers import Handle, HandleKind
from fiat import (
    ANA,
    COMPANY,
    NOW,
    account,
    balance,
    ended,
    exceptions,
    fund,
    known,
    open_account,
    order,
    orders,
    pay,
    receive,
    record,
    told,
)
from installation import Installation, Merchant


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def test_told_twice_it_is_one(house: Installation, merchant: Merchant) -> None:
    opened = await known(house, merchant, (await open_account(merchant))["accountId"])
    await record(house, told(opened, "a"), told(opened, "a"))
    await record(house, told(opened, "a"))
    assert await balance(merchant) == ("10", "0")
    assert len(await orders(merchant)) == 1


async def test_told_by_the_bank_any_number_of_times_and_out_of_order(house: Installation, merchant: Merchant) -> None:
    opened = await open_account(merchant)
    await house.parts.bank.levers.repeat_next(3)  # type: ignore[union-attr]
    first = await pay(merchant, opened["accountId"], "1")
    second = await pay(merchant, opened["accountId"], "2", delaySeconds=0)
    await ended(merchant, first, "SUCCESS")
    await ended(merchant, second, "SUCCESS")
    await house.round()
    assert await balance(merchant) == ("3", "0")


async def test_parallel_callbacks_have_one_effect(house: Installation, merchant: Merchant) -> None:
    opened = await known(house, merchant, (await open_account(merchant))["accountId"])
    batch = [told(opened, str(number), "1") for number in range(20)]
    await asyncio.gather(*(record(house, *batch), record(house, *reversed(batch)), record(house, *batch[5:15])) * 2)
    assert await balance(merchant) == ("20", "0")
    assert len(await orders(merchant, pageSize=50)) == 20


async def test_a_pay_in_of_another_currency_is_given_back(merchant: Merchant) -> None:
    opened = await open_account(merchant, "EUR")
    back = await receive(merchant, opened["accountId"], "10", "RETURNED", currency="USD")
    assert "EUR only" in back["failReason"]
    (returned,) = await orders(merchant, orderType="RETURN")
    assert (returned["relatedOrderId"], returned["direction"]) == (back["orderId"], "OUT")
    await ended(merchant, returned, "SUCCESS")
    assert await balance(merchant, "USD") == ("0", "0")
    assert await balance(merchant, "EUR") == ("0", "0")


async def test_what_comes_for_a_closed_account_is_given_back(house: Installation, merchant: Merchant) -> None:
    opened = await open_account(merchant)
    path = "/v1/virtual-account/sub/delete"
    assert (await merchant.post(path, {"accountId": opened["accountId"]}))["status"] == "CLOSED"
    back = await receive(merchant, opened["accountId"], "10", "RETURNED")
    assert back["failReason"] == "The account is closed."
    again = await merchant.order(path, {"accountId": opened["accountId"]})
    assert (again.status, again.code) == (409, "INVALID_STATE")
    await house.round()
    assert await balance(merchant) == ("0", "0")


async def test_an_account_with_open_orders_is_not_closed(merchant: Merchant) -> None:
    opened = await open_account(merchant)
    await pay(merchant, opened["accountId"], "10", delaySeconds=3600)
    answer = await merchant.order("/v1/virtual-account/sub/delete", {"accountId": opened["accountId"]})
    assert (answer.status, answer.code) == (409, "ACCOUNT_HAS_OPEN_ORDERS")


@pytest.mark.parametrize(("amount", "booked", "reason"), [("50", NOW, "asks for 49.9"), ("49.90", None, "expired")])
async def test_a_code_takes_its_amount_until_it_ends(
    house: Installation, merchant: Merchant, amount: str, booked: datetime | None, reason: str
) -> None:
    made = await open_account(merchant, accountSubType="DYNAMIC", amount="49.90", expiresIn=60, companyInfo=COMPANY)
    opened = await known(house, merchant, made["accountId"])
    late = datetime(2099, 1, 1, tzinfo=UTC)
    await record(house, told(opened, "a", amount, booked_at=booked or late))
    (back,) = await orders(merchant, orderType="PAYIN")
    assert back["status"] == "RETURNED"
    assert reason in back["failReason"]


async def test_an_unknown_account_a_bad_amount_and_an_unknown_currency_are_exceptions(
    house: Installation, merchant: Merchant
) -> None:
    opened = await known(house, merchant, (await open_account(merchant))["accountId"])
    nobody = (Handle(HandleKind.IBAN, "DE00000000000000000000"),)
    strange = [
        told(opened, "x", handles=nobody),
        told(opened, "y", "10.001"),
        told(opened, "z", currency="XAU"),
        told(opened, "n", "-5"),
    ]
    await record(house, *strange)
    await record(house, *strange)
    found = [await exceptions(house, one.reference) for one in strange]
    assert found == [["UNKNOWN_ACCOUNT"], ["BAD_AMOUNT"], ["BAD_AMOUNT"], ["BAD_AMOUNT"]]
    assert await orders(merchant) == []


async def test_an_exception_is_closed_once_and_audited(house: Installation, merchant: Merchant) -> None:
    opened = await known(house, merchant, (await open_account(merchant))["accountId"])
    entry = told(opened, "q", "0.001")
    await record(house, entry)
    terms = house.parts.account_terms
    async with house.parts.database.transaction() as tx:
        line = next(
            one for one in await accounts.list_bank_exceptions(terms, tx) if one.rail_reference == entry.reference
        )
        await accounts.close_bank_exception(terms, tx, line.exception_id, Decision(True, "ana"))
    assert await exceptions(house, entry.reference) == []
    async with house.parts.database.transaction() as tx:
        with pytest.raises(BankExceptionNotFound):
            await accounts.close_bank_exception(terms, tx, line.exception_id, Decision(True, "ana"))


async def test_a_fee_is_a_transfer_of_its_own(house: Installation, merchant: Merchant) -> None:
    async with house.parts.database.transaction() as tx:
        await controls.set_fee(
            tx, Decision(True, "ana"), Operation.PAYIN, FeeTerms(bps=100), scope=Scope(merchant.merchant_id, "BRL")
        )
    opened = await open_account(merchant)
    paid = await receive(merchant, opened["accountId"], "100")
    assert paid["fee"] == "1"
    assert await balance(merchant) == ("99", "0")


async def test_another_merchants_accounts_and_orders_do_not_exist(house: Installation, merchant: Merchant) -> None:
    account_id = await fund(merchant, "10")
    (paid,) = await orders(merchant)
    other = await house.merchant()
    for path, query, code in (
        ("/v1/virtual-account/sub/detail", {"accountId": account_id}, "VIRTUAL_ACCOUNT_NOT_FOUND"),
        ("/v1/virtual-account/order/detail", {"orderId": paid["orderId"]}, "ORDER_NOT_FOUND"),
    ):
        answer = await other.ask(path, **query)
        assert (answer.status, answer.code) == (404, code)
    assert await orders(other, accountId=account_id) == []
    for path, body in (
        ("/v1/virtual-account/sub/delete", {"accountId": account_id}),
        ("/v1/mock/virtual-account/payin", {"accountId": account_id, "amount": "1", "payer": ANA}),
        ("/v1/virtual-account/order/refund", {"accountId": account_id, "amount": "1", "currency": "BRL"}),
        ("/v1/virtual-account/order/refund", {"orderId": paid["orderId"]}),
    ):
        answer = await other.order(path, body)
        assert answer.status == 404, path
    assert (await account(merchant, account_id))["status"] == "SUCCESS"  # type: ignore[index]
    assert (await order(merchant, paid["orderId"]))["refundedAmount"] == "0"  # type: ignore[index]
