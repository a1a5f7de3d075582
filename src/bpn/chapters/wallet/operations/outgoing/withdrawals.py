"""Withdrawals as the machine sees them: amount and fee are held; arriving takes them, failing frees them."""

from __future__ import annotations

from dataclasses import replace

from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import ServicePaused
from bpn.chapters.wallet.model import FINAL, Network, Status, Transaction, WalletTerms
from bpn.chapters.wallet.model.outgoing import HOT_KEY_INDEX, Outgoing, OutgoingState, Purpose, Wanted
from bpn.chapters.wallet.operations.outgoing.handling import Handling
from bpn.chapters.wallet.operations.withdrawals import (
    give_limit_back,
    release,
    require_nothing_owed,
    require_usable_address,
    resolutions,
)
from bpn.chapters.wallet.store import transactions
from bpn.chapters.wallet.store import withdrawals as store
from bpn.controls import operations as controls
from bpn.controls.model import Operation
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import Refusal
from bpn.ledger import operations as ledger
from bpn.ledger.model import Transfer, merchant_account

_STATUSES = {
    OutgoingState.PREPARED: Status.PROCESSING,
    OutgoingState.SIGNED: Status.PROCESSING,
    OutgoingState.BROADCAST: Status.BROADCAST,
    OutgoingState.MINED: Status.CONFIRMING,
}


async def _lock_waiting(tx: DatabaseTransaction, network: Network, limit: int) -> list[Wanted]:
    return [
        Wanted(
            Purpose.WITHDRAWAL,
            transaction.merchant_id,
            transaction.transaction_id,
            HOT_KEY_INDEX,
            network.tokens[transaction.amount.asset.currency].contract,
            transaction.to_address or "",
            transaction.amount.minor,
        )
        for transaction in await _unsent(tx, network.name, limit)
    ]


async def _unsent(tx: DatabaseTransaction, network: str, limit: int) -> list[Transaction]:
    """Withdrawals that wait and are not paused: the paused ones must not stand before others."""
    view = await controls.view(tx)
    found: list[Transaction] = []
    after = 0
    while len(found) < limit and (read := await store.lock_unsent(tx, network, after, limit)):
        found += [one for one in read if view.is_running(one.merchant_id, Operation.WITHDRAWAL, one.amount.asset)]
        after = read[-1].transaction_id
    return found[:limit]


async def _may_leave(terms: WalletTerms, tx: DatabaseTransaction, wanted: Wanted) -> bool:
    """Whether a withdrawal may be sent now; one whose address is no longer usable is rejected, others wait."""
    transaction = await _lock(tx, wanted.merchant_id, wanted.reference_id)
    network = terms.networks[transaction.amount.asset.network or ""]
    token = network.tokens[transaction.amount.asset.currency]
    try:
        await require_usable_address(terms, tx, transaction.merchant_id, token, wanted.recipient)
    except Refusal as refusal:
        await release(tx, transaction, Status.REJECTED, refusal.message)
        return False
    try:
        await require_nothing_owed(tx, transaction.merchant_id, token)
    except ServicePaused:
        return False
    return True


async def _prepared(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    await store.set_unsent(tx, outgoing.merchant_id, outgoing.reference_id, unsent=False)


async def _moved(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    transaction = await _lock(tx, outgoing.merchant_id, outgoing.reference_id)
    transaction = replace(
        transaction, hash=outgoing.hash, block_number=outgoing.block_number, updated_at=tx.now
    )  # fmt: skip
    await _move(tx, transaction, _STATUSES[outgoing.state])


async def _arrived(tx: DatabaseTransaction, network: Network, outgoing: Outgoing) -> bool:  # noqa: ARG001 - every purpose is told the network
    transaction = await _lock(tx, outgoing.merchant_id, outgoing.reference_id)
    rules.check_transition(transaction.transaction_type, transaction.status, Status.SUCCESS)
    await ledger.post_one(tx, *await resolutions(tx, transaction, posts=True))
    asset, reference = transaction.amount.asset, transaction.transaction_id
    merchant, hot = merchant_account(transaction.merchant_id, asset), rules.hot_wallet_account(asset)
    movements = [Transfer(tx.ids.next(), merchant, hot, transaction.amount, "wallet.withdrawal_sent", reference)]
    if transaction.fee.minor:
        fees = rules.fee_account(asset)
        movements.append(
            Transfer(tx.ids.next(), merchant, fees, transaction.fee, "wallet.withdrawal_fee_earned", reference)
        )
    await ledger.post_one(tx, *movements)
    await _move(
        tx, replace(transaction, hash=outgoing.hash, block_number=outgoing.block_number), Status.SUCCESS
    )  # fmt: skip
    return True


async def _failed(tx: DatabaseTransaction, network: Network, outgoing: Outgoing, reason: str) -> None:  # noqa: ARG001 - every purpose is told the network
    transaction = await _lock(tx, outgoing.merchant_id, outgoing.reference_id)
    if transaction.status is Status.PROCESSING:
        transaction = await _move(tx, transaction, Status.BROADCAST)
    rules.check_transition(transaction.transaction_type, transaction.status, Status.FAILED)
    await ledger.post_one(tx, *await resolutions(tx, transaction, posts=False))
    await give_limit_back(tx, transaction)
    failed = replace(
        transaction,
        hash=outgoing.hash,
        block_number=outgoing.block_number,
        fail_reason=f"{reason}; the amount is available again.",
    )
    await _move(tx, failed, Status.FAILED)


async def _lock(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> Transaction:
    transaction = await transactions.lock(tx, merchant_id, transaction_id)
    if transaction is None:
        raise LookupError(f"withdrawal {transaction_id} is gone")
    return transaction


async def _move(tx: DatabaseTransaction, transaction: Transaction, status: Status) -> Transaction:
    if transaction.status is status:
        await transactions.save(tx, transaction)
        return transaction
    if transaction.status is Status.PROCESSING and status is Status.CONFIRMING:
        transaction = await _move(tx, transaction, Status.BROADCAST)
    rules.check_transition(transaction.transaction_type, transaction.status, status)
    completed_at = tx.now if status in FINAL else None
    moved = replace(transaction, status=status, updated_at=tx.now, completed_at=completed_at)
    await transactions.save(tx, moved)
    await events.withdrawal_changed(tx, moved)
    return moved


WITHDRAWALS = Handling(_lock_waiting, _may_leave, _prepared, _moved, _arrived, _failed)
