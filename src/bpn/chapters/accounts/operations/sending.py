"""Payments on their way to the bank: screened, put into a batch for ever, handed over. Exactly once.

Which batch a payment leaves in is committed before anything is sent; what is sent again is the same batch, and the bank
takes it once. What became of each payment is told by the bank, see `reports`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bpn.chapters.accounts.model import (
    AccountTerms,
    Order,
    OutgoingBatch,
    OutgoingPayment,
    PaymentState,
    Status,
)
from bpn.chapters.accounts.operations.outgoing import move
from bpn.chapters.accounts.store import orders as store
from bpn.chapters.accounts.store import payments
from bpn.database.pool import Transaction
from bpn.ports.readers import BankParty


@dataclass(frozen=True, slots=True)
class PayeeCase:
    """A payment whose payee is to be looked up."""

    merchant_id: int
    order_id: int
    account: str | None
    names: tuple[str, ...]


async def list_payees_to_screen(terms: AccountTerms, tx: Transaction, limit: int = 100) -> list[PayeeCase]:
    """The payments whose payees are to be looked up, oldest first."""
    waiting = await payments.due(tx, terms.cipher, terms.source, PaymentState.SCREENING, limit)
    return [_case(order) for order in waiting]


def _case(order: Order) -> PayeeCase:
    party = order.party or BankParty()
    return PayeeCase(order.merchant_id, order.order_id, party.account, (party.name,) if party.name else ())


async def decide_payee(
    terms: AccountTerms, tx: Transaction, case: PayeeCase, *, hit: bool, reason: str | None
) -> Order | None:
    """Let a screened payment go on, or have the operator look at it; None when another worker decided before."""
    order = await store.lock(tx, terms.cipher, case.merchant_id, case.order_id)
    state, _ = await payments.standing(tx, case.merchant_id, case.order_id)
    if order is None or state is not PaymentState.SCREENING:
        return None
    following = PaymentState.WAITING if hit else PaymentState.READY
    await payments.set_state(tx, case.merchant_id, case.order_id, following, screened=True)
    return await move(tx, replace(order, fail_reason=reason), Status.REVIEWING) if hit else order


async def prepare_batch(terms: AccountTerms, tx: Transaction) -> int:
    """Decide for ever which of the payments that are ready leave together; returns how many."""
    ready = await payments.due(tx, terms.cipher, terms.source, PaymentState.READY, terms.batch_limit)
    if ready:
        await payments.insert_batch(tx, terms.source, tx.ids.next(), ready)
    return len(ready)


async def list_unsent_batches(terms: AccountTerms, tx: Transaction, names: Mapping[int, str]) -> list[OutgoingBatch]:
    """Batches that the bank may not have, oldest first; `names` of merchants, who are shown as payers."""
    found = []
    for batch_id, created_at in await payments.unsent_batches(tx, terms.source):
        orders = await payments.of_batch(tx, terms.cipher, terms.source, batch_id)
        leaving = tuple(
            OutgoingPayment(order, names[order.merchant_id], pay_in_reference) for order, pay_in_reference in orders
        )
        found.append(OutgoingBatch(batch_id, created_at, leaving))
    return found


async def record_batch_sent(terms: AccountTerms, tx: Transaction, batch: OutgoingBatch) -> None:
    """The bank has a batch."""
    await payments.mark_sent(tx, terms.source, batch.batch_id)
