"""Withdrawals as the machine sees them: amount and fee are held; arriving takes them, failing frees them."""

from __future__ import annotations

from bpn.chapters.wallet import events
from bpn.chapters.wallet.errors import ServicePaused
from bpn.chapters.wallet.model import Network, Status, WalletTerms
from bpn.chapters.wallet.model.outgoing import Outgoing, Purpose, Wanted
from bpn.chapters.wallet.operations.outgoing import held
from bpn.chapters.wallet.operations.outgoing.handling import Handling
from bpn.chapters.wallet.operations.withdrawals import (
    CODE,
    give_limit_back,
    release,
    require_nothing_owed,
    require_usable_address,
)
from bpn.controls.model import Operation
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import Refusal


async def _lock_waiting(tx: DatabaseTransaction, network: Network, limit: int) -> list[Wanted]:
    return await held.lock_waiting(tx, network, Purpose.WITHDRAWAL, Operation.WITHDRAWAL, limit)


async def _may_leave(terms: WalletTerms, tx: DatabaseTransaction, wanted: Wanted) -> bool:
    """Whether a withdrawal may be sent now; one whose address is no longer usable is rejected, others wait."""
    transaction = await held.lock(tx, wanted)
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


async def _moved(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    await held.follow(tx, outgoing, events.withdrawal_changed)


async def _arrived(tx: DatabaseTransaction, network: Network, outgoing: Outgoing) -> bool:  # noqa: ARG001 - every purpose is told the network
    await held.take(tx, outgoing, CODE, events.withdrawal_changed)
    return True


async def _failed(tx: DatabaseTransaction, network: Network, outgoing: Outgoing, reason: str) -> None:  # noqa: ARG001 - every purpose is told the network
    told = f"{reason}; the amount is available again."
    failed = await held.give_back(tx, outgoing, CODE, told, events.withdrawal_changed)
    await give_limit_back(tx, failed)


WITHDRAWALS = Handling(_lock_waiting, _may_leave, held.prepared, _moved, _arrived, _failed)
