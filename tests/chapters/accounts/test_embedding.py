"""For chapters above: rows of type ORDER, accounts and payouts with an earmark, the sum at the bank."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import InvalidState
from bpn.chapters.accounts.model import Direction, OrderChanged, Profile, SubType
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import HOUSE, Account, Policy
from bpn.outbox import operations as outbox
from bpn.outbox.model import Fact
from bpn.ports.readers import BankParty
from fiat import account, balance, ended, fund, open_account, orders, receive
from installation import Installation, Merchant


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def earmarks(house: Installation, merchant: Merchant) -> list[tuple[str | None, str]]:
    """Earmark and state of the merchant's orders, as chapters above hear them."""
    async with house.parts.database.reading() as tx:
        cursor = await tx.connection.execute(
            "SELECT merchant_id, fact_id, name, subject_id, timestamp, content, attempts FROM outbox_facts"
            " WHERE merchant_id = %s AND name = %s ORDER BY fact_id",
            (merchant.merchant_id, OrderChanged.name),
        )
        told = [outbox.read(Fact(*row), OrderChanged).order for row in await cursor.fetchall()]
    return [(order.earmark, order.status.value) for order in told]


async def test_a_pay_in_with_an_earmark_waits_for_its_owner(house: Installation, merchant: Merchant) -> None:
    terms, database = house.parts.account_terms, house.parts.database
    command = accounts.AccountCommand(
        merchant.merchant_id, "EUR", None, None, SubType.STATIC, None, None, None, None, None, Profile()
    )
    async with database.transaction() as tx:
        made = await accounts.open_earmarked_account(terms, tx, command, "order/7")
    await house.until(lambda: account(merchant, str(made.account_id), "SUCCESS"))
    paid = await receive(merchant, str(made.account_id), "10")
    assert await balance(merchant, "EUR") == ("0", "10")
    assert ("order/7", "SUCCESS") in await earmarks(house, merchant)
    refused = await merchant.order("/v1/virtual-account/order/refund", {"orderId": paid["orderId"]})
    assert (refused.status, refused.code) == (409, "INVALID_STATE")
    key = (merchant.merchant_id, int(paid["orderId"]))
    async with database.transaction() as tx:
        await accounts.release_pay_ins(terms, tx, {key: None})
    assert await balance(merchant, "EUR") == ("10", "0")
    with pytest.raises(InvalidState):
        async with database.transaction() as tx:
            await accounts.release_pay_ins(terms, tx, {key: None})


async def test_a_debit_of_another_chapter_is_a_row(house: Installation, merchant: Merchant) -> None:
    await fund(merchant, "100", "EUR")
    asset = accounts.find_asset("EUR")
    desk = Account(HOUSE, "other_chapter", asset, Policy.ANY)
    async with house.parts.database.transaction() as tx:
        master = await accounts.require_master(tx, merchant.merchant_id, asset)
        amount = Money.parse("30", asset)
        source = accounts.master_ledger_account(master)
        await ledger.post_one(tx, *ledger.across(tx, source, desk, amount, "test.order", 1))
        entry = accounts.OrderEntry(master, Direction.OUT, amount, Money.zero(asset), "order/8", "mine-1")
        await accounts.record_order_entries(house.parts.account_terms, tx, [entry])
    (row,) = await orders(merchant, orderType="ORDER")
    assert (row["merchantOrderId"], row["direction"], row["amount"], row["status"]) == (
        "mine-1",
        "OUT",
        "30",
        "SUCCESS",
    )
    assert await balance(merchant, "EUR") == ("70", "0")


async def test_a_payout_of_another_chapter_tells_its_end(house: Installation, merchant: Merchant) -> None:
    await fund(merchant, "100", "EUR")
    async with house.parts.database.transaction() as tx:
        held = await accounts.get_master_balance(tx, merchant.merchant_id, "EUR")
        command = accounts.PayoutCommand(
            merchant.merchant_id,
            None,
            held.account.account_id,
            held.available,
            None,
            "SEPA",
            BankParty(name="Max", account="DE89370400440532013000"),
            "order/9",
            None,
            None,
        )
        made = await accounts.request_payout(house.parts.account_terms, tx, command, "order/9")
    await ended(merchant, {"orderId": str(made.order_id)}, "SUCCESS")
    assert ("order/9", "SUCCESS") in await earmarks(house, merchant)


async def test_ledger_and_bank_agree(house: Installation, merchant: Merchant) -> None:
    await open_account(merchant, "SGD")
    await fund(merchant, "12.34", "SGD")
    bank = house.parts.bank
    assert bank is not None
    async with house.parts.database.reading() as tx:
        (held,) = await accounts.bank_ledger(tx, [accounts.find_asset("SGD")])
    assert Decimal(held) / 100 == Decimal((await bank.reader.balances())["SGD"])
