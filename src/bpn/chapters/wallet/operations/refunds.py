"""Deposits in suspense that go back on chain, once, to an address that somebody confirmed and nobody lists."""

from __future__ import annotations

from dataclasses import replace

from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import RefundUneconomic, TransactionNotFound
from bpn.chapters.wallet.model import (
    ScreeningCase,
    Status,
    Transaction,
    TransactionType,
    WalletTerms,
)
from bpn.chapters.wallet.model.outgoing import Purpose
from bpn.chapters.wallet.operations.holds import hold, resolutions
from bpn.chapters.wallet.store import transactions
from bpn.chapters.wallet.store import withdrawals as store
from bpn.controls import operations as controls
from bpn.controls.model import FeeTerms, Operation
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import FieldError, InvalidState
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger

CODE = "wallet.refund"
"""The word of the ledger for what is held for a refund."""


async def request_refund(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    deposit_id: int,
    address: str,
    *,
    part: Money | None = None,
) -> Transaction:
    """Send a deposit that is in suspense to an address, less the fee of refunds; the refund.

    Where no such fee is set, it is what a withdrawal of the token costs. The deposit becomes
    RETURNING, and RETURNED or REJECTED again in the end. The address is screened first.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_id: whose.
        deposit_id: which deposit.
        address: where to.
        part: of a released deposit, what its earmark's owner has put into suspense; the deposit stays COMPLETED.

    Raises:
        TransactionNotFound: no such deposit.
        InvalidState: it is not in suspense, or on its way back.
        InvalidRequest: the address is mistyped, or one of the platform's own.
        ServicePaused: refunds are switched off.
        RefundUneconomic: the fee takes all.
    """
    recipient = rules.parse_address(address)
    deposit = await _lock_deposit(tx, merchant_id, deposit_id)
    if deposit.status is not (Status.REJECTED if part is None else Status.COMPLETED):
        raise InvalidState(f"The deposit is {deposit.status}; only one in suspense can be returned.")
    asset = deposit.amount.asset
    await controls.require_running(tx, merchant_id, Operation.REFUND, asset)
    amount = deposit.amount if part is None else part
    fee = await refund_fee(terms, tx, merchant_id, amount)
    if amount <= fee:
        raise RefundUneconomic(
            f"The fee of {fee} {asset.currency} takes all of {amount}.",
            [FieldError("amount", "is not more than the network fee")],
        )
    refund = _refund_of(terms, tx, replace(deposit, amount=amount), recipient, fee)
    holds = await hold(tx, refund, rules.suspense_account(merchant_id, asset), CODE)
    await transactions.insert(tx, [refund])
    await store.insert(tx, refund, holds, Purpose.REFUND, unsent=False, deposit_id=deposit_id)
    if part is None:
        await _set_deposit(tx, deposit, Status.RETURNING)
    await events.refund_changed(tx, refund, deposit_id)
    return refund


async def refund_fee(terms: WalletTerms, tx: DatabaseTransaction, merchant_id: int, amount: Money) -> Money:
    """What the network's fee takes from a refund."""
    asset = amount.asset
    standard = terms.networks[asset.network or ""].tokens[asset.currency].withdrawal_fee
    return await controls.fee(tx, merchant_id, Operation.REFUND, amount, FeeTerms(flat=standard.to_decimal()))


def _refund_of(
    terms: WalletTerms, tx: DatabaseTransaction, deposit: Transaction, recipient: str, fee: Money
) -> Transaction:
    transaction_id = tx.ids.next()
    return replace(
        deposit,
        transaction_id=transaction_id,
        transaction_type=TransactionType.REFUND,
        merchant_transaction_id=str(transaction_id),
        amount=deposit.amount - fee,
        fee=fee,
        status=Status.SCREENING,
        from_address=terms.hot_address,
        to_address=recipient,
        hash=None,
        block_number=None,
        block_time=None,
        earmark=None,
        confirmations=0,
        fail_reason=None,
        remark=f"Return of deposit {deposit.transaction_id}.",
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=None,
    )


async def list_refund_screening(tx: DatabaseTransaction, network: str) -> list[ScreeningCase]:
    """The refunds whose addresses are to be looked up."""
    waiting = await transactions.lock_open(tx, TransactionType.REFUND, network, Status.SCREENING)
    return [ScreeningCase(one.merchant_id, one.transaction_id, one.to_address, ()) for one in waiting]


async def decide_refund_screening(
    tx: DatabaseTransaction, case: ScreeningCase, *, hit: bool, reason: str | None
) -> Transaction | None:
    """Let a screened refund leave, or refuse it: the deposit is in suspense again. None if decided before."""
    refund = await transactions.lock(tx, case.merchant_id, case.transaction_id)
    if refund is None or refund.status is not Status.SCREENING:
        return None
    status = Status.REJECTED if hit else Status.PROCESSING
    rules.check_transition(refund.transaction_type, refund.status, status)
    decided = replace(
        refund, status=status, fail_reason=reason, updated_at=tx.now, completed_at=tx.now if hit else None
    )
    await transactions.save(tx, decided)
    deposit_id = await store.deposit_of(tx, refund.merchant_id, refund.transaction_id)
    if hit:
        await ledger.post_one(tx, *await resolutions(tx, refund, CODE, posts=False))
        await end_return(tx, refund.merchant_id, deposit_id, returned=False)
    else:
        await store.set_unsent(tx, refund.merchant_id, refund.transaction_id, unsent=True)
    await events.refund_changed(tx, decided, deposit_id)
    return decided


async def end_return(tx: DatabaseTransaction, merchant_id: int, deposit_id: int, *, returned: bool) -> Transaction:
    """A deposit's return has ended: it is gone, or in suspense again. One that a reorg removed meanwhile stays so."""
    deposit = await _lock_deposit(tx, merchant_id, deposit_id)
    if deposit.status is not Status.RETURNING:
        return deposit
    return await _set_deposit(tx, deposit, Status.RETURNED if returned else Status.REJECTED)


async def _set_deposit(tx: DatabaseTransaction, deposit: Transaction, status: Status) -> Transaction:
    rules.check_transition(deposit.transaction_type, deposit.status, status)
    completed_at = None if status is Status.RETURNING else tx.now
    changed = replace(deposit, status=status, updated_at=tx.now, completed_at=completed_at)
    await transactions.save(tx, changed)
    await events.deposits_changed(tx, [changed])
    return changed


async def _lock_deposit(tx: DatabaseTransaction, merchant_id: int, deposit_id: int) -> Transaction:
    deposit = await transactions.lock(tx, merchant_id, deposit_id)
    if deposit is None or deposit.transaction_type is not TransactionType.DEPOSIT:
        raise TransactionNotFound(f"There is no deposit {deposit_id}.")
    return deposit
