"""What withdrawals and refunds have in common: held amounts that the hot wallet sends, lines of the history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import FINAL, Network, Status, Transaction
from bpn.chapters.wallet.model.outgoing import HOT_KEY_INDEX, Outgoing, OutgoingState, Purpose, Wanted
from bpn.chapters.wallet.operations.holds import resolutions
from bpn.chapters.wallet.operations.recipients import SCREENING_LIFETIME
from bpn.chapters.wallet.store import transactions
from bpn.chapters.wallet.store import withdrawals as store
from bpn.controls import operations as controls
from bpn.controls.model import Operation
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.ledger import operations as ledger
from bpn.ledger.model import Transfer, merchant_account

Announce = Callable[[DatabaseTransaction, Transaction], Awaitable[None]]
"""Tells of a new state."""

_OPERATIONS = {Purpose.WITHDRAWAL: Operation.WITHDRAWAL, Purpose.REFUND: Operation.REFUND}
_STATUSES = {
    OutgoingState.PREPARED: Status.PROCESSING,
    OutgoingState.SIGNED: Status.PROCESSING,
    OutgoingState.BROADCAST: Status.BROADCAST,
    OutgoingState.MINED: Status.CONFIRMING,
}


async def lock_waiting(tx: DatabaseTransaction, network: Network, purpose: Purpose, limit: int) -> list[Wanted]:
    """What waits for a nonce of the hot wallet for a purpose, held."""
    return [
        Wanted(
            purpose,
            transaction.merchant_id,
            transaction.transaction_id,
            HOT_KEY_INDEX,
            network.tokens[transaction.amount.asset.currency].contract,
            transaction.to_address or "",
            transaction.amount.minor,
        )
        for transaction in await _unsent(tx, network.name, purpose, limit)
    ]


async def _unsent(tx: DatabaseTransaction, network: str, purpose: Purpose, limit: int) -> list[Transaction]:
    """What waits and is not paused: the paused must not stand before others."""
    view = await controls.view(tx)
    since = tx.now - SCREENING_LIFETIME
    found: list[Transaction] = []
    after = 0
    while len(found) < limit and (read := await store.lock_unsent(tx, network, purpose, since, after, limit)):
        found += [one for one in read if view.is_running(one.merchant_id, _OPERATIONS[purpose], one.amount.asset)]
        after = read[-1].transaction_id
    return found[:limit]


async def prepared(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    """It has a nonce."""
    await store.set_unsent(tx, outgoing.merchant_id, outgoing.reference_id, unsent=False)


async def follow(tx: DatabaseTransaction, outgoing: Outgoing, announce: Announce) -> None:
    """Show in the history how far it has come."""
    transaction = replace(
        await lock(tx, outgoing), hash=outgoing.hash, block_number=outgoing.block_number, updated_at=tx.now
    )  # fmt: skip
    await move(tx, transaction, _STATUSES[outgoing.state], announce)


async def take(tx: DatabaseTransaction, outgoing: Outgoing, code: str, announce: Announce) -> Transaction:
    """It arrived: what was held is taken, the hot wallet has given the amount, the house has earned the fee."""
    transaction = await lock(tx, outgoing)
    rules.check_transition(transaction.transaction_type, transaction.status, Status.SUCCESS)
    asset, reference = transaction.amount.asset, transaction.transaction_id
    merchant, hot = merchant_account(transaction.merchant_id, asset), rules.hot_wallet_account(asset)
    movements = [
        *await resolutions(tx, transaction, code, posts=True),
        Transfer(tx.ids.next(), merchant, hot, transaction.amount, f"{code}_sent", reference),
    ]
    if transaction.fee.minor:
        fees = rules.fee_account(asset)
        movements.append(Transfer(tx.ids.next(), merchant, fees, transaction.fee, f"{code}_fee_earned", reference))
    await ledger.post_one(tx, *movements)
    arrived = replace(transaction, hash=outgoing.hash, block_number=outgoing.block_number)
    return await move(tx, arrived, Status.SUCCESS, announce)


async def give_back(
    tx: DatabaseTransaction, outgoing: Outgoing, code: str, reason: str, announce: Announce
) -> Transaction:
    """It never will arrive: what was held is free again."""
    transaction = await lock(tx, outgoing)
    if transaction.status is Status.PROCESSING:
        transaction = await move(tx, transaction, Status.BROADCAST, announce)
    rules.check_transition(transaction.transaction_type, transaction.status, Status.FAILED)
    await ledger.post_one(tx, *await resolutions(tx, transaction, code, posts=False))
    failed = replace(transaction, hash=outgoing.hash, block_number=outgoing.block_number, fail_reason=reason)
    return await move(tx, failed, Status.FAILED, announce)


async def lock(tx: DatabaseTransaction, outgoing: Outgoing | Wanted) -> Transaction:
    """The line of the history that it is for, held."""
    transaction = await transactions.lock(tx, outgoing.merchant_id, outgoing.reference_id)
    if transaction is None:
        raise LookupError(f"{outgoing.purpose} {outgoing.reference_id} is gone")
    return transaction


async def move(tx: DatabaseTransaction, transaction: Transaction, status: Status, announce: Announce) -> Transaction:
    """Give it a state, and tell of it if it is a new one."""
    if transaction.status is status:
        await transactions.save(tx, transaction)
        return transaction
    if transaction.status is Status.PROCESSING and status is Status.CONFIRMING:
        transaction = await move(tx, transaction, Status.BROADCAST, announce)
    rules.check_transition(transaction.transaction_type, transaction.status, status)
    completed_at = tx.now if status in FINAL else None
    moved = replace(transaction, status=status, updated_at=tx.now, completed_at=completed_at)
    await transactions.save(tx, moved)
    await announce(tx, moved)
    return moved
