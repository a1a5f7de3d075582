"""The facts the wallet chapter announces, each in the transaction that makes it true."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bpn.chapters.wallet.model import (
    DepositChanged,
    DepositCleared,
    RefundChanged,
    SenderRequired,
    Transaction,
    TransferSettled,
    WhitelistChanged,
    WhitelistEntry,
    WithdrawalChanged,
)
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Announcement, FactContent


async def deposits_changed(tx: DatabaseTransaction, transactions: Sequence[Transaction]) -> None:
    """Deposits have a new state."""
    await _record(tx, [(transaction, DepositChanged(transaction)) for transaction in transactions])


async def deposit_cleared(tx: DatabaseTransaction, transaction: Transaction) -> None:
    """An earmarked deposit waits for its owner's word."""
    await _record(tx, [(transaction, DepositCleared(transaction))])


async def sender_required(tx: DatabaseTransaction, transactions: Sequence[Transaction], deadline: datetime) -> None:
    """Deposits wait for their senders' details."""
    await _record(tx, [(transaction, SenderRequired(transaction, deadline)) for transaction in transactions])


async def withdrawal_changed(tx: DatabaseTransaction, transaction: Transaction) -> None:
    """A withdrawal has a new state."""
    await _record(tx, [(transaction, WithdrawalChanged(transaction))])


async def refund_changed(tx: DatabaseTransaction, transaction: Transaction, deposit_id: int) -> None:
    """The return of a deposit has a new state."""
    await _record(tx, [(transaction, RefundChanged(transaction, deposit_id))])


async def transfers_settled(tx: DatabaseTransaction, transactions: Sequence[Transaction]) -> None:
    """Internal transfers were made."""
    await _record(tx, [(transaction, TransferSettled(transaction)) for transaction in transactions])


async def whitelist_changed(tx: DatabaseTransaction, entry: WhitelistEntry) -> None:
    """A whitelist entry has a new state."""
    await outbox.record(tx, [Announcement(entry.merchant_id, entry.whitelist_id, WhitelistChanged(entry))])


async def _record(tx: DatabaseTransaction, facts: Sequence[tuple[Transaction, FactContent]]) -> None:
    if facts:
        await outbox.record(
            tx,
            [
                Announcement(transaction.merchant_id, transaction.transaction_id, content)
                for transaction, content in facts
            ],
        )
