"""What becomes of a nonce: signed, sent, replaced, mined, settled. Exactly once, whatever crashes when.

Signed bytes and their hash are committed before anything is sent; what is sent again are the same bytes, or a
replacement at the same nonce, of which the chain can take only one; a receipt decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import Network
from bpn.chapters.wallet.model.outgoing import (
    HOT_KEY_INDEX,
    Attempt,
    Fees,
    NonceTaken,
    Outgoing,
    OutgoingState,
    ReceiptReport,
)
from bpn.chapters.wallet.operations.outgoing.purposes import HANDLINGS
from bpn.chapters.wallet.store import outgoing as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Transfer

_ON_ITS_WAY = frozenset({OutgoingState.SIGNED, OutgoingState.BROADCAST})


async def list_outgoing(
    tx: DatabaseTransaction, network: str, states: Sequence[OutgoingState], key_index: int | None = None
) -> list[Outgoing]:
    """The unsettled transfers of a network in one of these states, in order of nonces; of one address, or of all."""
    return await store.list_open(tx, network, states, key_index)


async def record_signature(
    tx: DatabaseTransaction, outgoing: Outgoing, number: int, raw: bytes, hash_: str
) -> Outgoing:
    """Keep the signed bytes of an attempt before they are sent; what another worker kept before stands."""
    known = await _lock(tx, outgoing)
    attempt = next(attempt for attempt in known.attempts if attempt.number == number)
    if attempt.hash is not None or known.state not in {OutgoingState.PREPARED, *_ON_ITS_WAY}:
        return known
    signed = replace(attempt, raw=raw, hash=hash_)
    await store.save_attempt(tx, known, signed)
    state = OutgoingState.SIGNED if known.state is OutgoingState.PREPARED else known.state
    return await _move(tx, replace(_with(known, signed), state=state, hash=hash_))


async def record_broadcast(tx: DatabaseTransaction, outgoing: Outgoing, number: int, time: datetime) -> None:
    """A node has taken the bytes of an attempt. `time`: wall time, from which a rebroadcast is reckoned."""
    known = await _lock(tx, outgoing)
    if known.state not in _ON_ITS_WAY:
        return
    attempt = next(attempt for attempt in known.attempts if attempt.number == number)
    await store.save_attempt(tx, known, replace(attempt, sent_at=time))
    await _move(tx, replace(known, state=OutgoingState.BROADCAST))


async def plan_replacement(tx: DatabaseTransaction, network: Network, outgoing: Outgoing, fees: Fees | None) -> bool:
    """Add an attempt at the same nonce with a higher fee, to be signed and sent like the first.

    Args:
        tx: the transaction.
        network: whose cap holds.
        outgoing: as it was when it was found stuck; if another worker has moved it since, nothing happens.
        fees: with which a transaction sent now should be mined soon; None where that is above the cap.

    Returns:
        Whether an attempt was added; not where the cap leaves no room for what nodes ask of a replacement.
    """
    known = await _lock(tx, outgoing)
    if known.state not in _ON_ITS_WAY or known.newest.raw is None or len(known.attempts) != len(outgoing.attempts):
        return False
    raised = rules.raise_fees(known.newest.fees, fees, network.gas.fee_cap)
    if raised is None:
        return False
    await store.insert_attempt(
        tx, known, Attempt(known.newest.number + 1, raised, None, None, tx.clock.wall(), None)
    )  # fmt: skip
    return True


async def record_receipt(
    tx: DatabaseTransaction, outgoing: Outgoing, block_number: int | None, hash_: str | None = None
) -> None:
    """One of the attempts is in a block, or (None) none any longer: a reorg took the block away."""
    known = await _lock(tx, outgoing)
    if known.state not in {*_ON_ITS_WAY, OutgoingState.MINED}:
        return
    if block_number is None:
        await _move(tx, replace(known, state=OutgoingState.BROADCAST, block_number=None, hash=known.hashes[0]))
        return
    if hash_ not in known.hashes:
        raise LookupError(f"{hash_} is no attempt of nonce {known.nonce} of sender {known.key_index}")
    await _move(
        tx, replace(known, state=OutgoingState.MINED, block_number=block_number, hash=hash_, taken_at_block=None)
    )  # fmt: skip


async def record_nonce(
    tx: DatabaseTransaction, network: Network, outgoing: Outgoing, head_number: int, taken: NonceTaken | None
) -> None:
    """Note whether a transaction that is not known here has the nonce, and draw the conclusion.

    One that does the very same transfer is an attempt whose record was lost, as by a restored backup: it is taken up
    again, so that nobody is paid twice. Any other, once it has enough confirmations, means that what was signed can
    never be mined: the transfer failed.
    """
    known = await _lock(tx, outgoing)
    if known.state not in _ON_ITS_WAY or len(known.attempts) != len(outgoing.attempts) or known.succeeded:
        return
    if taken is not None and taken.same_call:
        found = Attempt(known.newest.number + 1, known.newest.fees, None, taken.hash, tx.clock.wall(), None)
        await store.insert_attempt(tx, known, found)
        return
    if taken is None or known.taken_at_block is None:
        await store.save(tx, replace(known, taken_at_block=None if taken is None else head_number))
        return
    if head_number - known.taken_at_block + 1 < network.confirmations:
        return
    reason = f"Another transaction, {taken.hash}, took the nonce"
    await HANDLINGS[known.purpose].failed(tx, network, known, reason)
    await store.save(tx, replace(known, state=OutgoingState.SETTLED))


async def settle_outgoing(
    tx: DatabaseTransaction, network: Network, outgoing: Outgoing, report: ReceiptReport
) -> Outgoing | None:
    """The receipt has enough confirmations: finish what the transfer was for. Gas is the house's either way.

    None when another worker settled it before, or when the purpose puts it off.
    """
    known = await _lock(tx, outgoing)
    if known.state is not OutgoingState.MINED or known.hash != report.hash:
        return None
    mined = replace(
        known, block_number=report.block_number, gas_cost=report.gas_cost, succeeded=report.succeeded
    )  # fmt: skip
    handling = HANDLINGS[known.purpose]
    if known.succeeded:
        return await _settle_again(tx, network, known, report)
    if not report.succeeded:
        await handling.failed(tx, network, mined, "The transaction was reverted on chain")
    elif not await handling.arrived(tx, network, mined):
        return None
    await _book_gas(tx, network, mined, report.gas_cost)
    settled = replace(mined, state=OutgoingState.SETTLED)
    await store.save(tx, settled)
    return settled


async def list_settled(tx: DatabaseTransaction, network: str, block_number: int) -> list[Outgoing]:
    """What was settled in blocks from a number on: a reorg deeper than the confirmations may still remove it."""
    return await store.list_settled_since(tx, network, block_number)


async def reopen_outgoing(tx: DatabaseTransaction, outgoing: Outgoing) -> bool:
    """Carry again what had arrived and was settled before a reorg removed or moved it.

    Nothing of what was booked is undone; the same bytes go out, and only another price of the gas is booked. False
    when another worker reopened it before.
    """
    known = await _lock(tx, outgoing)
    if known.state is not OutgoingState.SETTLED or not known.succeeded:
        return False
    await store.save(tx, replace(known, state=OutgoingState.BROADCAST, block_number=None))
    return True


async def _settle_again(
    tx: DatabaseTransaction, network: Network, known: Outgoing, report: ReceiptReport
) -> Outgoing | None:
    """A removed transfer is mined again. One that now reverted stays open: operators are told by its age."""
    if not report.succeeded:
        return None
    await _book_gas(tx, network, known, report.gas_cost - (known.gas_cost or 0))
    settled = replace(
        known, state=OutgoingState.SETTLED, block_number=report.block_number, gas_cost=report.gas_cost
    )  # fmt: skip
    await store.save(tx, settled)
    return settled


async def _book_gas(tx: DatabaseTransaction, network: Network, outgoing: Outgoing, cost: int) -> None:
    if not cost:
        return
    native = network.native
    if outgoing.key_index != HOT_KEY_INDEX:
        sender = await store.lock_sender(tx, network.name, outgoing.key_index)
        await store.save_sender(tx, replace(sender, native=sender.native - cost))
    payer = rules.hot_wallet_account if outgoing.key_index == HOT_KEY_INDEX else rules.deposit_gas_account
    spent, paying = rules.gas_account(native), payer(native)
    debit, credit = (spent, paying) if cost > 0 else (paying, spent)
    await ledger.post_one(
        tx,
        Transfer(tx.ids.next(), debit, credit, Money(abs(cost), native), "wallet.gas", outgoing.reference_id),
    )


async def _move(tx: DatabaseTransaction, outgoing: Outgoing) -> Outgoing:
    await store.save(tx, outgoing)
    # What has arrived once and was removed by a deep reorg is carried again without a word: its purpose is fulfilled.
    if outgoing.succeeded is None:
        await HANDLINGS[outgoing.purpose].moved(tx, outgoing)
    return outgoing


def _with(outgoing: Outgoing, changed: Attempt) -> Outgoing:
    attempts = tuple(changed if attempt.number == changed.number else attempt for attempt in outgoing.attempts)
    return replace(outgoing, attempts=attempts)


async def _lock(tx: DatabaseTransaction, outgoing: Outgoing) -> Outgoing:
    known = await store.lock(tx, outgoing.network, outgoing.key_index, outgoing.nonce)
    if known is None:
        raise LookupError(f"nonce {outgoing.nonce} of sender {outgoing.key_index} on {outgoing.network} is gone")
    return known
