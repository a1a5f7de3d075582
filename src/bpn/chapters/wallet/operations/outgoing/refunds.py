"""Refunds as the machine sees them: held in suspense; arriving ends the deposit, failing puts it back."""

from __future__ import annotations

from bpn.chapters.wallet import events
from bpn.chapters.wallet.model import Network, Transaction, WalletTerms
from bpn.chapters.wallet.model.outgoing import Outgoing, Purpose, Wanted
from bpn.chapters.wallet.operations.outgoing import held
from bpn.chapters.wallet.operations.outgoing.handling import Handling
from bpn.chapters.wallet.operations.refunds import CODE, end_return
from bpn.chapters.wallet.store import withdrawals as store
from bpn.controls.model import Operation
from bpn.database.pool import Transaction as DatabaseTransaction


async def _lock_waiting(tx: DatabaseTransaction, network: Network, limit: int) -> list[Wanted]:
    return await held.lock_waiting(tx, network, Purpose.REFUND, Operation.REFUND, limit)


async def _may_leave(terms: WalletTerms, tx: DatabaseTransaction, wanted: Wanted) -> bool:  # noqa: ARG001 - its address was confirmed and screened
    return True


async def _announce(tx: DatabaseTransaction, transaction: Transaction) -> None:
    deposit_id = await store.deposit_of(tx, transaction.merchant_id, transaction.transaction_id)
    await events.refund_changed(tx, transaction, deposit_id)


async def _moved(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    await held.follow(tx, outgoing, _announce)


async def _arrived(tx: DatabaseTransaction, network: Network, outgoing: Outgoing) -> bool:  # noqa: ARG001 - every purpose is told the network
    refund = await held.take(tx, outgoing, CODE, _announce)
    await _end(tx, refund, returned=True)
    return True


async def _failed(tx: DatabaseTransaction, network: Network, outgoing: Outgoing, reason: str) -> None:  # noqa: ARG001 - every purpose is told the network
    refund = await held.give_back(tx, outgoing, CODE, f"{reason}; the deposit is in suspense again.", _announce)
    await _end(tx, refund, returned=False)


async def _end(tx: DatabaseTransaction, refund: Transaction, *, returned: bool) -> None:
    deposit_id = await store.deposit_of(tx, refund.merchant_id, refund.transaction_id)
    await end_return(tx, refund.merchant_id, deposit_id, returned=returned)


REFUNDS = Handling(_lock_waiting, _may_leave, held.prepared, _moved, _arrived, _failed)
