"""Withdrawals on their way: a nonce, signed bytes, a broadcast, a receipt. Exactly once, whatever crashes when.

The intent (which nonce pays which withdrawal) is committed before anything is signed; the signed bytes and their hash
are committed before anything is sent; what is sent again are the same bytes; a receipt decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import ServicePaused, UnsupportedNetwork
from bpn.chapters.wallet.model import (
    FINAL,
    ChainPosition,
    Funds,
    Network,
    Outgoing,
    OutgoingState,
    Status,
    Transaction,
    WalletTerms,
)
from bpn.chapters.wallet.operations.withdrawals import (
    release,
    require_nothing_owed,
    require_usable_address,
    resolutions,
)
from bpn.chapters.wallet.store import chains, transactions
from bpn.chapters.wallet.store import withdrawals as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import FieldError, Refusal
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import HOUSE, Transfer, merchant_account

GAS_LIMIT = 120_000
"""Enough for the `transfer` of the stablecoins in use; what is not used is not paid."""


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What the chain said became of a transaction. `gas_cost` in wei."""

    hash: str
    block_number: int
    succeeded: bool
    gas_cost: int


class NonceMismatchError(Exception):
    """Chain and intents disagree on the hot wallet's nonces."""


async def prepare_outgoing(
    terms: WalletTerms, tx: DatabaseTransaction, network: Network, funds: Funds, limit: int
) -> int:
    """Give nonces to withdrawals that wait, oldest first; returns how many got one.

    The whitelist is checked again: an address no longer usable has its withdrawal rejected. Where the hot wallet is
    short of the token or of gas, the withdrawal waits and takes no nonce.

    Raises:
        NonceMismatchError: the hot wallet has sent more than is known here, as after a restored backup.
    """
    position = await chains.lock_position(tx, network.name)
    if position is None:
        return 0
    if position.next_nonce is not None and funds.transaction_count > position.next_nonce:
        raise NonceMismatchError(
            f"{network.name}: the chain has {funds.transaction_count} transactions of the hot wallet, and only"
            f" {position.next_nonce} nonces were given here; nothing is sent until an operator accepts that"
        )
    unmined = await store.open_outgoing(
        tx, network.name, [OutgoingState.PREPARED, OutgoingState.SIGNED, OutgoingState.BROADCAST]
    )
    tokens = dict(funds.tokens)
    native = funds.native
    for outgoing in unmined:
        tokens[outgoing.contract] = tokens.get(outgoing.contract, 0) - outgoing.amount
        native -= outgoing.gas_limit * outgoing.max_fee
    nonce = funds.transaction_count if position.next_nonce is None else position.next_nonce
    first = nonce
    for transaction in await store.lock_unsent(tx, network.name, limit):
        token = network.tokens[transaction.amount.asset.currency]
        if not await _may_leave(terms, tx, transaction):
            continue
        if tokens.get(token.contract, 0) < transaction.amount.minor or native < GAS_LIMIT * funds.max_fee:
            continue
        tokens[token.contract] -= transaction.amount.minor
        native -= GAS_LIMIT * funds.max_fee
        await store.insert_outgoing(tx, _outgoing(transaction, token.contract, nonce, funds))
        await store.set_unsent(tx, transaction, unsent=False)
        nonce += 1
    if nonce > first:
        await chains.save_position(tx, replace(position, next_nonce=nonce))
    return nonce - first


async def _may_leave(terms: WalletTerms, tx: DatabaseTransaction, transaction: Transaction) -> bool:
    """Whether a withdrawal may be sent now; one whose address is no longer usable is rejected, others wait."""
    network = terms.networks[transaction.amount.asset.network or ""]
    token = network.tokens[transaction.amount.asset.currency]
    try:
        await require_usable_address(terms, tx, transaction.merchant_id, token, transaction.to_address or "")
    except Refusal as refusal:
        await release(tx, transaction, Status.REJECTED, refusal.message)
        return False
    try:
        await require_nothing_owed(tx, transaction.merchant_id, token)
    except ServicePaused:
        return False
    return True


def _outgoing(transaction: Transaction, contract: str, nonce: int, funds: Funds) -> Outgoing:
    return Outgoing(
        network=transaction.amount.asset.network or "",
        nonce=nonce,
        merchant_id=transaction.merchant_id,
        transaction_id=transaction.transaction_id,
        contract=contract,
        recipient=transaction.to_address or "",
        amount=transaction.amount.minor,
        gas_limit=GAS_LIMIT,
        max_fee=funds.max_fee,
        priority_fee=funds.priority_fee,
        raw=None,
        hash=None,
        state=OutgoingState.PREPARED,
        block_number=None,
        broadcast_at=None,
    )


async def list_outgoing(tx: DatabaseTransaction, network: str, states: Sequence[OutgoingState]) -> list[Outgoing]:
    """The nonces of a network in one of these states, in order."""
    return await store.open_outgoing(tx, network, states)


async def record_signature(tx: DatabaseTransaction, outgoing: Outgoing, raw: bytes, hash_: str) -> Outgoing:
    """Keep the signed bytes before they are sent; what another worker kept before stands."""
    known = await store.lock_outgoing(tx, outgoing.network, outgoing.nonce)
    if known.state is not OutgoingState.PREPARED:
        return known
    signed = replace(known, raw=raw, hash=hash_, state=OutgoingState.SIGNED)
    await store.save_outgoing(tx, signed)
    transaction = await _lock(tx, known)
    await transactions.save(tx, replace(transaction, hash=hash_, updated_at=tx.now))
    return signed


async def record_broadcast(tx: DatabaseTransaction, outgoing: Outgoing, time: datetime) -> None:
    """A node has taken the bytes. `time`: wall time, from which a rebroadcast is reckoned."""
    known = await store.lock_outgoing(tx, outgoing.network, outgoing.nonce)
    if known.state not in {OutgoingState.SIGNED, OutgoingState.BROADCAST}:
        return
    await store.save_outgoing(tx, replace(known, state=OutgoingState.BROADCAST, broadcast_at=time))
    await _move(tx, await _lock(tx, known), Status.BROADCAST)


async def record_receipt(tx: DatabaseTransaction, outgoing: Outgoing, block_number: int | None) -> None:
    """The transaction is in a block, or (None) no longer: a reorg took the block away."""
    known = await store.lock_outgoing(tx, outgoing.network, outgoing.nonce)
    if known.state not in {OutgoingState.SIGNED, OutgoingState.BROADCAST, OutgoingState.MINED}:
        return
    state = OutgoingState.BROADCAST if block_number is None else OutgoingState.MINED
    await store.save_outgoing(tx, replace(known, state=state, block_number=block_number, taken_at_block=None))
    transaction = replace(await _lock(tx, known), block_number=block_number)
    if transaction.status is Status.PROCESSING:
        transaction = await _move(tx, transaction, Status.BROADCAST)
    await _move(tx, transaction, Status.BROADCAST if block_number is None else Status.CONFIRMING)


async def record_nonce(
    tx: DatabaseTransaction, network: Network, outgoing: Outgoing, head_number: int, *, taken: bool
) -> None:
    """Note whether another transaction has the nonce; once that has enough confirmations, the withdrawal failed.

    Our own bytes can then never be mined, so what was held is free again.
    """
    known = await store.lock_outgoing(tx, outgoing.network, outgoing.nonce)
    if known.state not in {OutgoingState.SIGNED, OutgoingState.BROADCAST}:
        return
    if not taken or known.taken_at_block is None:
        await store.save_outgoing(tx, replace(known, taken_at_block=head_number if taken else None))
        return
    if head_number - known.taken_at_block + 1 < network.confirmations:
        return
    transaction = await _lock(tx, known)
    if transaction.status is Status.PROCESSING:
        transaction = await _move(tx, transaction, Status.BROADCAST)
    rules.check_transition(transaction.transaction_type, transaction.status, Status.FAILED)
    await ledger.post_one(tx, *await resolutions(tx, transaction, posts=False))
    await store.save_outgoing(tx, replace(known, state=OutgoingState.SETTLED))
    reason = "Another transaction took the nonce; the amount is available again."
    await _move(tx, replace(transaction, fail_reason=reason), Status.FAILED)


async def accept_nonces(
    tx: DatabaseTransaction, network: str, transaction_count: int, decision: Decision
) -> ChainPosition:
    """An operator's word that what the chain says of the hot wallet's nonces is right; sending goes on from there.

    Raises:
        UnsupportedNetwork: the network is not read here.
    """
    position = await chains.lock_position(tx, network)
    if position is None:
        raise UnsupportedNetwork(f"{network} is not read here.", [FieldError("network", "is unknown")])
    accepted = replace(position, next_nonce=transaction_count)
    await chains.save_position(tx, accepted)
    await audit.record(
        tx,
        decision,
        merchant_id=HOUSE,
        action=f"nonces.accept {network}",
        subject_id=transaction_count,
        before=str(position.next_nonce),
        after=str(transaction_count),
    )
    return accepted


async def settle_outgoing(
    tx: DatabaseTransaction, network: Network, outgoing: Outgoing, report: ReceiptReport
) -> Transaction | None:
    """The receipt has enough confirmations: take what was held, or release it if the transaction reverted.

    Gas is paid by the house either way. None when another worker settled it before.
    """
    known = await store.lock_outgoing(tx, outgoing.network, outgoing.nonce)
    if known.state is not OutgoingState.MINED or known.hash != report.hash:
        return None
    transaction = replace(await _lock(tx, known), block_number=report.block_number)
    status = Status.SUCCESS if report.succeeded else Status.FAILED
    rules.check_transition(transaction.transaction_type, transaction.status, status)
    await ledger.post_one(tx, *await resolutions(tx, transaction, posts=report.succeeded))
    await _book_house(tx, network, transaction, report)
    await store.save_outgoing(tx, replace(known, state=OutgoingState.SETTLED, block_number=report.block_number))
    reason = None if report.succeeded else "The transaction was reverted on chain; the amount is available again."
    return await _move(tx, replace(transaction, fail_reason=reason), status)


async def _book_house(
    tx: DatabaseTransaction, network: Network, transaction: Transaction, report: ReceiptReport
) -> None:
    asset = transaction.amount.asset
    merchant = merchant_account(transaction.merchant_id, asset)
    reference = transaction.transaction_id
    movements = []
    if report.succeeded:
        hot = rules.hot_wallet_account(asset)
        movements.append(
            Transfer(tx.ids.next(), merchant, hot, transaction.amount, "wallet.withdrawal_sent", reference)
        )
        if transaction.fee.minor:
            fees = rules.fee_account(asset)
            movements.append(
                Transfer(tx.ids.next(), merchant, fees, transaction.fee, "wallet.withdrawal_fee_earned", reference)
            )
    if report.gas_cost:
        gas, hot_native = rules.gas_account(network.native), rules.hot_wallet_account(network.native)
        cost = Money(report.gas_cost, network.native)
        movements.append(Transfer(tx.ids.next(), gas, hot_native, cost, "wallet.gas", reference))
    if movements:
        await ledger.post_one(tx, *movements)


async def _lock(tx: DatabaseTransaction, outgoing: Outgoing) -> Transaction:
    transaction = await transactions.lock(tx, outgoing.merchant_id, outgoing.transaction_id)
    if transaction is None:
        raise LookupError(f"withdrawal {outgoing.transaction_id} of nonce {outgoing.nonce} is gone")
    return transaction


async def _move(tx: DatabaseTransaction, transaction: Transaction, status: Status) -> Transaction:
    if transaction.status is status:
        await transactions.save(tx, transaction)
        return transaction
    rules.check_transition(transaction.transaction_type, transaction.status, status)
    completed_at = tx.now if status in FINAL else None
    moved = replace(transaction, status=status, updated_at=tx.now, completed_at=completed_at)
    await transactions.save(tx, moved)
    await events.withdrawal_changed(tx, moved)
    return moved
