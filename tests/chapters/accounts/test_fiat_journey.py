"""Fiat in, fiat out: codes and accounts are paid, payouts leave, fail or come back, a part is refunded."""

from __future__ import annotations

import pytest

from bpn.ledger import operations as ledger
from fiat import COMPANY, balance, ended, fund, open_account, order, orders, pay_out, receive, statuses_told
from installation import Installation, Merchant, receiving


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def test_a_dynamic_code_is_paid_and_settles_into_the_master(merchant: Merchant) -> None:
    opened = await open_account(merchant, accountSubType="DYNAMIC", amount="49.90", companyInfo=COMPANY)
    assert opened["pixCode"].startswith("000201")
    assert opened["accountHolderName"] == "Loja Azul Ltda"
    paid = await receive(merchant, opened["accountId"], "49.90")
    assert paid["payer"]["name"] == "Ana Sousa"
    assert (paid["orderType"], paid["amount"], paid["fee"]) == ("PAYIN", "49.9", "0")
    assert await balance(merchant) == ("49.9", "0")


async def test_an_account_in_euro_is_paid_and_pays_out(merchant: Merchant) -> None:
    opened = await open_account(merchant, "EUR")
    assert opened["iban"].startswith("DE")
    await receive(merchant, opened["accountId"], "1000")
    made = await pay_out(merchant, "250.50", "EUR", merchantOrderId="po-1")
    assert (made["status"], made["endToEndId"]) == ("PROCESSING", made["orderId"])
    assert await balance(merchant, "EUR") == ("749.5", "0")
    paid = await ended(merchant, made, "SUCCESS")
    assert paid["beneficiary"]["accountNumber"] == "DE89370400440532013000"
    assert await balance(merchant, "EUR") == ("749.5", "0")


async def test_a_payout_that_fails_is_free_again(merchant: Merchant) -> None:
    await fund(merchant, "100")
    failed = await ended(merchant, await pay_out(merchant, "10.66"), "FAILED")
    assert failed["failCode"] == "AC04"
    assert await balance(merchant) == ("100", "0")


async def test_a_payout_that_comes_back_is_credited_with_an_order_of_its_own(merchant: Merchant) -> None:
    await fund(merchant, "100")
    back = await ended(merchant, await pay_out(merchant, "10.67"), "RETURNED")
    (credited,) = await orders(merchant, orderType="RETURN")
    assert (credited["relatedOrderId"], credited["direction"], credited["status"]) == (
        back["orderId"],
        "IN",
        "SUCCESS",
    )
    assert await balance(merchant) == ("100", "0")


async def test_part_of_a_pay_in_is_refunded(house: Installation, merchant: Merchant) -> None:
    account_id = await fund(merchant, "100")
    (paid,) = await orders(merchant, accountId=account_id)
    refund = await merchant.post(
        "/v1/virtual-account/order/refund", {"orderId": paid["orderId"], "amount": "30", "currency": "BRL"}
    )
    await ended(merchant, refund, "SUCCESS")
    assert await balance(merchant) == ("70", "0")
    after = await order(merchant, paid["orderId"])
    assert after is not None
    assert after["refundedAmount"] == "30"
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()


async def test_every_step_is_told(house: Installation) -> None:
    async with receiving() as receiver:
        merchant = await house.merchant(receiver.url)
        receiver.secret = merchant.api_secret
        account_id = await fund(merchant, "100")
        made = await ended(merchant, await pay_out(merchant, "40"), "SUCCESS")
        await house.until(_told(receiver, "VIRTUAL_ACCOUNT_PAYMENT_STATUS", made["orderId"], "SUCCESS"))
        assert await statuses_told(house, receiver, "OPEN_VIRTUAL_ACCOUNT_STATUS", 2) == ["INIT", "SUCCESS"]
        assert {one["referenceId"] for one in receiver.of("OPEN_VIRTUAL_ACCOUNT_STATUS")} == {account_id}
        assert {one["status"] for one in receiver.of("VIRTUAL_ACCOUNT_PAYMENT_STATUS")} == {"PROCESSING", "SUCCESS"}


def _told(receiver, event_type, reference, status):
    async def find() -> bool:
        return any(event["referenceId"] == reference for event in receiver.of(event_type, status))

    return find
