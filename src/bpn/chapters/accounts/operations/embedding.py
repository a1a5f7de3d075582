"""For chapters above: rows in the order list for what they have moved, and the sums that a bank's books must equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bpn.chapters.accounts import events, rules
from bpn.chapters.accounts.errors import IdempotencyConflict
from bpn.chapters.accounts.model import (
    AccountTerms,
    Direction,
    InvoiceStatus,
    MasterAccount,
    Order,
    OrderType,
    Status,
)
from bpn.chapters.accounts.store import orders as store
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import HOUSE, Transfer


@dataclass(frozen=True, slots=True)
class OrderEntry:
    """A debit (OUT) or credit (IN) of a master account that a chapter above has posted in its own batch.

    `earmark` names what it belongs to; `merchant_order_id` is the merchant's own id of that, unique over all orders.
    """

    master: MasterAccount
    direction: Direction
    amount: Money
    fee: Money
    earmark: str
    merchant_order_id: str | None = None
    remark: str | None = None


async def record_order_entries(terms: AccountTerms, tx: Transaction, entries: Sequence[OrderEntry]) -> list[Order]:
    """Write rows of type ORDER, born SUCCESS, in the transaction of the batch that moved the money.

    Raises:
        IdempotencyConflict: another order has a merchant's id.
    """
    made = [_row(tx, entry) for entry in entries]
    if made and not await store.insert(tx, terms.cipher, made):
        raise IdempotencyConflict("merchantOrderId was used before, for another order.")
    await events.orders_changed(tx, made)
    return made


def _row(tx: Transaction, entry: OrderEntry) -> Order:
    master = entry.master
    return Order(
        merchant_id=master.merchant_id,
        order_id=tx.ids.next(),
        order_type=OrderType.ORDER,
        direction=entry.direction,
        account_id=master.account_id,
        primary_account_id=master.account_id,
        merchant_order_id=entry.merchant_order_id,
        counter_order_id=None,
        amount=entry.amount,
        fee=entry.fee,
        refunded=0,
        status=Status.SUCCESS,
        invoice_status=InvoiceStatus.NOT_REQUIRED,
        rail="INTERNAL",
        source="INTERNAL",
        rail_reference=None,
        end_to_end_id=None,
        purpose=None,
        remark=entry.remark,
        charge_bearer=None,
        fail_code=None,
        fail_reason=None,
        party=None,
        bank_account_id=None,
        earmark=entry.earmark,
        held_in=None,
        due_at=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=tx.now,
    )


async def bank_ledger(tx: Transaction, assets: Sequence[Asset]) -> list[int]:
    """What the ledger says lies at the bank, minor units, by asset: merchants' and the house's together."""
    return [-total for total in await ledger.totals(tx, rules.BANK, assets)]


async def book_house_money(tx: Transaction, transfer_id: int, amount: Money) -> None:
    """Note that the operator put money into the house's account at the bank; the same `transfer_id` books it once."""
    await ledger.post_one(
        tx,
        Transfer(
            transfer_id,
            rules.bank_account(HOUSE, amount.asset),
            rules.capital_account(amount.asset),
            amount,
            "accounts.house_funding",
            0,
        ),
    )


async def house_money_booked(tx: Transaction, asset: Asset) -> bool:
    """Whether anything was ever put into the house's account of a currency."""
    (capital,) = await ledger.balances(tx, [rules.capital_account(asset)])
    return capital.posted != 0
