"""Earmarks: deposits to an address of their own wait, once cleared, for the word of whoever owns them."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import InsufficientBalance
from bpn.chapters.wallet.model import DepositCleared, Earmark, OrderLeg
from bpn.kernel.errors import InvalidState
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Transfer, house_account
from installation import SENDER, Installation, Merchant

_numbers = count(1)


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def opened(house: Installation, merchant: Merchant, *, sender_required: bool = True) -> tuple[Earmark, str]:
    earmark = Earmark("test", next(_numbers))
    parts = house.parts
    async with parts.database.transaction() as tx:
        address = await wallet.open_earmark(
            parts.wallet_terms,
            tx,
            merchant.merchant_id,
            earmark,
            wallet_id=None,
            sender_required=sender_required,
        )
    return earmark, address


async def pay(house: Installation, address: str, amount: str, network: str = "BSC") -> str:
    token = house.parts.wallet_terms.networks[network].tokens["USDT"]
    return await house.chains[network].send_token(token.contract, address, Money.parse(amount, token.asset).minor)


async def cleared(house: Installation, merchant: Merchant, earmark: Earmark) -> Any:
    async def find() -> Any:
        async with house.parts.database.transaction() as tx:
            mine = await wallet.list_earmark_deposits(tx, merchant.merchant_id, earmark)
            waiting = {one.transaction_id for one in await wallet.list_cleared(tx, earmark.kind)}
        return next((one for one in mine if one.transaction_id in waiting), None)

    return await house.until(find)


async def test_a_cleared_deposit_waits_for_its_owner_who_may_hold_it_in_the_same_chain(
    house: Installation, merchant: Merchant
) -> None:
    earmark, address = await opened(house, merchant)
    await pay(house, address, "10")
    record = await house.until(lambda: merchant.record(status="SENDER_REQUIRED"))
    await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": record["transactionId"], **SENDER})
    deposit = await cleared(house, merchant, earmark)
    await house.round()
    assert (await merchant.balance())["unavailable"] == "10"

    def hold(tx: Any, amount: str) -> Transfer:
        asset = deposit.amount.asset
        source = wallet.wallet_account(merchant.merchant_id, merchant.wallet_id, asset)
        target = house_account(merchant.merchant_id, asset)
        return Transfer(tx.ids.next(), source, target, Money.parse(amount, asset), "test.hold", 1, pending=True)

    with pytest.raises(InsufficientBalance):
        async with house.parts.database.transaction() as tx:
            await wallet.assign_deposit(tx, merchant.merchant_id, deposit.transaction_id, [hold(tx, "11")])
    async with house.parts.database.transaction() as tx:
        await wallet.assign_deposit(tx, merchant.merchant_id, deposit.transaction_id, [hold(tx, "4")])
    balance = await merchant.balance()
    assert (balance["available"], balance["unavailable"]) == ("6", "4")
    with pytest.raises(InvalidState):
        async with house.parts.database.transaction() as tx:
            await wallet.assign_deposit(tx, merchant.merchant_id, deposit.transaction_id)
    cursor_record = await merchant.record(transactionId=record["transactionId"])
    assert cursor_record is not None
    assert cursor_record["status"] == "COMPLETED"


async def test_the_owner_may_set_it_aside_and_credit_it_later(house: Installation, merchant: Merchant) -> None:
    earmark, address = await opened(house, merchant, sender_required=False)
    await pay(house, address, "5", network="ETH")
    deposit = await cleared(house, merchant, earmark)
    assert deposit.amount.asset.network == "ETH"
    async with house.parts.database.transaction() as tx:
        aside = await wallet.set_deposit_aside(tx, merchant.merchant_id, deposit.transaction_id, "Late.")
    assert aside.status == "REJECTED"
    balance = await merchant.balance(network="ETH")
    assert (balance["available"], balance["unavailable"]) == ("0", "0")
    async with house.parts.database.transaction() as tx:
        await wallet.credit_from_suspense(tx, merchant.merchant_id, deposit.transaction_id)
    assert await merchant.available(network="ETH") == "5"
    with pytest.raises(InvalidState):
        async with house.parts.database.transaction() as tx:
            await wallet.credit_from_suspense(tx, merchant.merchant_id, deposit.transaction_id)


async def test_an_earmark_may_bring_its_sender_and_a_reorg_begins_again(
    house: Installation, merchant: Merchant
) -> None:
    earmark, address = await opened(house, merchant)
    async with house.parts.database.transaction() as tx:
        await wallet.set_earmark_sender(house.parts.wallet_terms, tx, merchant.merchant_id, earmark, SENDER)
    await pay(house, address, "3")
    first = await cleared(house, merchant, earmark)
    async with house.parts.database.reading() as tx:
        cursor = await tx.connection.execute(
            "SELECT count(*) FROM outbox_facts WHERE merchant_id = %s AND name = %s",
            (merchant.merchant_id, DepositCleared.name),
        )
        assert await cursor.fetchall() == [(1,)]
    await house.chains["BSC"].reorganise(5, keep=False)
    await house.round()
    record = await merchant.record(transactionId=first.transaction_id)
    assert record is not None
    assert record["status"] == "ORPHANED"
    with pytest.raises(InvalidState):
        async with house.parts.database.transaction() as tx:
            await wallet.assign_deposit(tx, merchant.merchant_id, first.transaction_id)
    assert (await merchant.balance())["unavailable"] == "0"


async def test_an_orders_leg_stands_in_the_history_with_both_currencies(
    house: Installation, merchant: Merchant
) -> None:
    asset = house.parts.wallet_terms.networks["BSC"].tokens["USDT"].asset
    leg = OrderLeg(merchant.merchant_id, merchant.wallet_id, Money.parse("7", asset), True, "BRL", 77, None)
    async with house.parts.database.transaction() as tx:
        await wallet.record_order_legs(tx, [leg])
    row = await merchant.record(transactionType="ORDER")
    assert row is not None
    assert (row["fromCurrency"], row["toCurrency"], row["amount"]) == ("BRL", "USDT", "7")
    assert (row["fromAccountId"], row["toAccountId"]) == (None, str(merchant.wallet_id))


async def test_the_books_are_sound_after_all_this(house: Installation) -> None:
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
