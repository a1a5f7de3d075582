"""What waits for the operator, and the operator's decisions; each is written into the audit log with its change."""

from __future__ import annotations

from dataclasses import replace

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import SecondPersonRequired, TransactionNotFound, WhitelistEntryNotFound
from bpn.chapters.wallet.model import (
    Status,
    Transaction,
    TransactionType,
    WalletTerms,
    WhitelistEntry,
    WhitelistStatus,
)
from bpn.chapters.wallet.operations.cooling import cooling_of
from bpn.chapters.wallet.operations.deposits import clear_deposit, put_into_suspense
from bpn.chapters.wallet.operations.refunds import request_refund
from bpn.chapters.wallet.operations.withdrawals import lock_reviewed, release
from bpn.chapters.wallet.store import transactions, withdrawals
from bpn.chapters.wallet.store import whitelist as whitelist_store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import InvalidState

_APPROVE = "withdrawal.approve"


async def list_reviewing(terms: WalletTerms, tx: DatabaseTransaction) -> list[Transaction]:
    """Withdrawals of all merchants that wait for the operator, oldest first."""
    return await _open(terms, tx, TransactionType.WITHDRAW, Status.REVIEWING)


async def list_frozen(terms: WalletTerms, tx: DatabaseTransaction) -> list[Transaction]:
    """Deposits of all merchants that screening froze, oldest first."""
    return await _open(terms, tx, TransactionType.DEPOSIT, Status.FROZEN)


async def _open(
    terms: WalletTerms, tx: DatabaseTransaction, kind: TransactionType, status: Status
) -> list[Transaction]:
    found = [one for name in terms.networks for one in await transactions.lock_open(tx, kind, name, status)]
    return sorted(found, key=lambda transaction: transaction.transaction_id)


async def list_pending_whitelist(terms: WalletTerms, tx: DatabaseTransaction) -> list[WhitelistEntry]:
    """Whitelist entries of all merchants that wait for the operator, oldest first."""
    return await whitelist_store.pending(tx, terms.cipher)


async def decide_withdrawal(
    terms: WalletTerms, tx: DatabaseTransaction, merchant_id: int, transaction_id: int, decision: Decision
) -> Transaction:
    """Decide on a withdrawal under review; twice the same click is one decision.

    Above `second_person_above` the first approval only counts: it stays REVIEWING until another person approves.

    Raises:
        TransactionNotFound: no such withdrawal.
        InvalidState: it was decided before, or cancelled.
        SecondPersonRequired: the same person approves twice.
    """
    transaction = await lock_reviewed(tx, merchant_id, transaction_id)
    if not decision.approved:
        decided = await release(tx, transaction, Status.REJECTED, decision.reason)
    elif await _needs_another_person(terms, tx, transaction, decision):
        decided = transaction
    else:
        decided = replace(transaction, status=Status.PROCESSING, updated_at=tx.now)
        await transactions.save(tx, decided)
        await withdrawals.set_unsent(tx, merchant_id, transaction_id, unsent=True)
        await events.withdrawal_changed(tx, decided)
    action = _APPROVE if decision.approved else "withdrawal.reject"
    await _audit(tx, decision, action, transaction, decided)
    return decided


async def _needs_another_person(
    terms: WalletTerms, tx: DatabaseTransaction, transaction: Transaction, decision: Decision
) -> bool:
    if not rules.needs_second_person(terms, transaction.amount):
        return False
    before = await audit.actors_of(tx, transaction.merchant_id, _APPROVE, transaction.transaction_id)
    if decision.actor in before:
        raise SecondPersonRequired(f"{decision.actor} has approved already; another person must.")
    return not before


async def decide_deposit(
    tx: DatabaseTransaction, merchant_id: int, transaction_id: int, decision: Decision
) -> Transaction:
    """Decide on a frozen deposit: clear it, or put it into suspense.

    Raises:
        TransactionNotFound: no such deposit.
        InvalidState: it is not frozen.
    """
    transaction = await transactions.lock(tx, merchant_id, transaction_id)
    if transaction is None or transaction.transaction_type is not TransactionType.DEPOSIT:
        raise TransactionNotFound(f"There is no deposit {transaction_id}.")
    if transaction.status is not Status.FROZEN:
        raise InvalidState(f"The deposit is {transaction.status}; only one that is FROZEN can be decided.")
    if decision.approved:
        decided = await clear_deposit(tx, transaction)
    else:
        decided = await put_into_suspense(tx, transaction, decision.reason or "Refused by the operator.")
    await _audit(tx, decision, "deposit.release" if decision.approved else "deposit.refuse", transaction, decided)
    return decided


async def return_deposit(
    terms: WalletTerms, tx: DatabaseTransaction, merchant_id: int, deposit_id: int, address: str, decision: Decision
) -> Transaction:
    """Send a deposit in suspense back, audited; the refund. Refusals as `request_refund`."""
    refund = await request_refund(terms, tx, merchant_id, deposit_id, address)
    await audit.record(
        tx,
        decision,
        merchant_id=merchant_id,
        action="deposit.return",
        subject_id=deposit_id,
        before=Status.REJECTED,
        after=f"{Status.RETURNING} to {refund.to_address} by {refund.transaction_id}",
    )
    return refund


async def decide_whitelist(
    terms: WalletTerms, tx: DatabaseTransaction, merchant_id: int, whitelist_id: int, decision: Decision
) -> WhitelistEntry:
    """Decide on a whitelist entry; the cooling time starts at the approval.

    Raises:
        WhitelistEntryNotFound: no such entry.
        InvalidState: it was decided before.
    """
    entry = await whitelist_store.lock(tx, terms.cipher, merchant_id, whitelist_id)
    if entry is None:
        raise WhitelistEntryNotFound(f"There is no whitelist entry {whitelist_id}.")
    if entry.status is not WhitelistStatus.PENDING:
        raise InvalidState(f"The entry is {entry.status} already.")
    decided = replace(
        entry,
        status=WhitelistStatus.APPROVED if decision.approved else WhitelistStatus.REJECTED,
        fail_reason=None if decision.approved else decision.reason,
        available_at=tx.now + await cooling_of(terms, tx, merchant_id),
    )
    await whitelist_store.save(tx, decided)
    await events.whitelist_changed(tx, decided)
    await audit.record(
        tx,
        decision,
        merchant_id=merchant_id,
        action="whitelist.approve" if decision.approved else "whitelist.reject",
        subject_id=whitelist_id,
        before=entry.status,
        after=decided.status,
    )
    return decided


async def _audit(
    tx: DatabaseTransaction, decision: Decision, action: str, before: Transaction, after: Transaction
) -> None:
    await audit.record(
        tx,
        decision,
        merchant_id=before.merchant_id,
        action=action,
        subject_id=before.transaction_id,
        before=before.status,
        after=after.status,
    )
