"""What facts of accounts and wallet mean for orders."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.accounts.model import OrderChanged, OrderType, VirtualAccountChanged
from bpn.chapters.accounts.model import Status as AccountStatus
from bpn.chapters.orders.model import EARMARK, OrderTerms
from bpn.chapters.orders.operations.funding import Funds, receive_funds, record_account
from bpn.chapters.orders.operations.paying import record_payout
from bpn.chapters.orders.operations.sweeping import funds_of_deposit
from bpn.chapters.wallet.model import DepositCleared
from bpn.database.pool import Transaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Fact

_PREFIX = f"{EARMARK}/"


async def hear_facts(terms: OrderTerms, tx: Transaction, facts: Sequence[Fact]) -> None:
    """Give cleared deposits and pay-ins to their orders, note payouts and accounts that a bank has opened."""
    for fact in facts:
        if fact.name == DepositCleared.name:
            funds = funds_of_deposit(outbox.read(fact, DepositCleared).transaction)
            if funds is not None:
                await receive_funds(terms, tx, funds)
        elif f'"{_PREFIX}' not in fact.content:
            continue  # most are of no order, and need not be read
        elif fact.name == OrderChanged.name:
            await _hear_of_account_order(terms, tx, outbox.read(fact, OrderChanged))
        else:
            account = outbox.read(fact, VirtualAccountChanged).account
            if (account.earmark or "").startswith(_PREFIX):
                await record_account(terms, tx, account)


async def _hear_of_account_order(terms: OrderTerms, tx: Transaction, fact: OrderChanged) -> None:
    order = fact.order
    if not (order.earmark or "").startswith(_PREFIX):
        return
    if order.order_type is OrderType.PAYOUT:
        await record_payout(terms, tx, order)
    elif order.order_type is OrderType.PAYIN and order.status is AccountStatus.SUCCESS and order.held_in is not None:
        order_id = int((order.earmark or "").removeprefix(_PREFIX))
        funds = Funds(order.merchant_id, order_id, order.order_id, order.amount - order.fee, order.created_at)
        await receive_funds(terms, tx, funds)
