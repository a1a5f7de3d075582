"""Give a pay-in, or part of it, back to its payer. The sum of refunds never passes the pay-in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bpn.chapters.accounts.errors import InvalidState, OrderNotFound, PayerAmbiguous, RefundExceedsPayIn
from bpn.chapters.accounts.model import (
    AccountTerms,
    Order,
    OrderType,
    PaymentState,
    Status,
)
from bpn.chapters.accounts.operations.accounts import require_account
from bpn.chapters.accounts.operations.history import require_order
from bpn.chapters.accounts.operations.outgoing import Outgoing, accept, new_order
from bpn.chapters.accounts.store import orders as store
from bpn.controls.model import Operation
from bpn.database.pool import Transaction
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.kernel.money import Money
from bpn.ports.readers import BankParty


@dataclass(frozen=True, slots=True)
class RefundCommand:
    """Give back: of one pay-in (`order_id`), or of whatever an account was paid (`account_id` and `amount`).

    Without an amount all that is left of the pay-in.
    """

    merchant_id: int
    merchant_order_id: str | None
    order_id: int | None
    account_id: int | None
    amount: Money | None


async def refund_order(terms: AccountTerms, tx: Transaction, command: RefundCommand) -> Order:
    """Accept a refund: held, then paid to the payer of the pay-in.

    Raises:
        InvalidRequest: both or neither of order and account are given, or the amount's currency is another.
        OrderNotFound, VirtualAccountNotFound: no such pay-in or account.
        InvalidState: the pay-in is not the master's (any more).
        PayerAmbiguous: several payers paid the account; name the order.
        RefundExceedsPayIn: less of the pay-in is left.
        ServicePaused: refunds are switched off.
        InsufficientBalance: the master has less.
        IdempotencyConflict: another order has the merchant's id.
    """
    if (command.order_id is None) == (command.account_id is None):
        raise InvalidRequest.of("orderId", "or accountId must be given, exactly one of them")
    pay_in = await (_of_order(terms, tx, command) if command.order_id is not None else _of_account(terms, tx, command))
    amount = command.amount or Money(pay_in.amount.minor - pay_in.refunded, pay_in.amount.asset)
    _check(pay_in, amount)
    view = await terms.controls.view(tx)
    view.require_running(command.merchant_id, Operation.REFUND, amount.asset)
    outgoing = Outgoing(
        merchant_id=command.merchant_id,
        order_type=OrderType.REFUND,
        account_id=pay_in.account_id,
        primary_account_id=pay_in.primary_account_id,
        merchant_order_id=command.merchant_order_id,
        amount=amount,
        fee=view.fee(command.merchant_id, Operation.REFUND, amount),
        rail=pay_in.rail,
        party=pay_in.party or BankParty(),
        counter_order_id=pay_in.order_id,
    )
    await store.save(tx, [replace(pay_in, refunded=pay_in.refunded + amount.minor, updated_at=tx.now)])
    return await accept(terms, tx, new_order(terms, tx, outgoing, Status.PROCESSING), PaymentState.SCREENING)


async def _of_order(terms: AccountTerms, tx: Transaction, command: RefundCommand) -> Order:
    pay_in = await require_order(terms, tx, command.merchant_id, command.order_id or 0)
    if pay_in.order_type is not OrderType.PAYIN:
        raise OrderNotFound(f"There is no pay-in {command.order_id}.", [FieldError("orderId", "is not a pay-in")])
    if pay_in.status is not Status.SUCCESS or pay_in.held_in is not None:
        raise InvalidState(f"The pay-in is {pay_in.status}; only one that is SUCCESS can be refunded.")
    if command.amount is not None and command.amount.asset != pay_in.amount.asset:
        raise InvalidRequest.of("currency", f"is not that of the pay-in, which is {pay_in.amount.asset.currency}")
    return pay_in


async def _of_account(terms: AccountTerms, tx: Transaction, command: RefundCommand) -> Order:
    """The newest pay-in of an account that still has the amount, where all are of one payer."""
    account = await require_account(terms, tx, command.merchant_id, command.account_id or 0)
    if command.amount is None:
        raise InvalidRequest.of("amount", "is required with accountId")
    if command.amount.asset != account.asset:
        raise InvalidRequest.of("currency", f"is not that of the account, which is {account.asset.currency}")
    found = await store.lock_refundable(tx, terms.cipher, command.merchant_id, account.account_id, account.asset)
    if not found:
        raise RefundExceedsPayIn("Nothing that the account was paid is left to refund.")
    if len({digest for _, digest in found}) > 1:
        raise PayerAmbiguous(
            "Several payers have paid this account; name the pay-in by orderId.", [FieldError("orderId", "is needed")]
        )
    wanted = command.amount.minor
    pay_ins = [pay_in for pay_in, _ in found]
    return next((one for one in pay_ins if one.amount.minor - one.refunded >= wanted), pay_ins[0])


def _check(pay_in: Order, amount: Money) -> None:
    left = Money(pay_in.amount.minor - pay_in.refunded, pay_in.amount.asset)
    if left.minor == 0 or amount > left:
        raise RefundExceedsPayIn(
            f"Of the pay-in of {pay_in.amount} {left.asset.currency}, {left} is left to refund.",
            [FieldError("amount", f"must be at most {left}")],
        )
