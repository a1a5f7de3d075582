"""What the chain says, written down: blocks in ranges, their transfers once each, and what a reorg replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet import events
from bpn.chapters.wallet.errors import UnsupportedNetwork
from bpn.chapters.wallet.model import Deposit, Network, Owner, Status, Token, Transaction, TransactionType
from bpn.chapters.wallet.model.reading import ChainPosition, Reading, SeenTransfer
from bpn.chapters.wallet.operations.deposits import orphan
from bpn.chapters.wallet.store import chains, deposits, transactions, wallets
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.kernel.money import Money
from bpn.ledger.model import HOUSE


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest block of a network, and the newest that is final. `time` is the block's own."""

    number: int
    hash: str
    time: datetime
    final_number: int


async def plan_reading(
    tx: DatabaseTransaction, network: Network, head: ChainHead
) -> tuple[ChainPosition, dict[int, str]]:
    """How far the network has been read, and the hashes of the blocks remembered.

    A new network is read from as far back as a reorg may reach: what is sent now may come to lie in a block below
    today's head.
    """
    position = await chains.find_position(tx, network.name)
    if position is None:
        first = max(0, head.number - network.reorg_depth)
        position = ChainPosition(
            network=network.name,
            first_block=first,
            next_block=first,
            head_number=head.number,
            head_time=head.time,
            read_at=tx.clock.wall(),
            final_number=head.final_number,
            survey_block=first,
        )
        await chains.insert_position(tx, position)
    return position, await chains.block_hashes(tx, network.name)


async def list_positions(tx: DatabaseTransaction) -> list[ChainPosition]:
    """How far every network has been read."""
    return await chains.positions(tx)


async def stop_reading(tx: DatabaseTransaction, network: str, reason: str) -> None:
    """Read no further until an operator says from where: what is on record may not be true any more."""
    position = await chains.lock_position(tx, network)
    if position is not None and position.stopped is None:
        await chains.save_position(tx, replace(position, stopped=reason))


async def resume_reading(tx: DatabaseTransaction, network: str, block: int, decision: Decision) -> ChainPosition:
    """Have a stopped network read again from a block on; deposits that are not there any more become ORPHANED.

    Raises:
        UnsupportedNetwork: the network is not read here.
        InvalidRequest: the block lies before the first that was ever read, or after those that were.
    """
    position = await chains.lock_position(tx, network)
    if position is None:
        raise UnsupportedNetwork(f"{network} is not read here.", [FieldError("network", "is unknown")])
    if not position.first_block <= block <= position.next_block:
        raise InvalidRequest.of("block", f"must be from {position.first_block} to {position.next_block}")
    resumed = replace(position, next_block=block, stopped=None, doubt=None)
    await chains.save_position(tx, resumed)
    await chains.replace_blocks(tx, network, 0, {}, 0)
    await audit.record(
        tx,
        decision,
        merchant_id=HOUSE,
        action=f"network.resume {network}",
        subject_id=block,
        before=f"{position.next_block} {position.stopped or ''}".strip(),
        after=str(block),
    )
    return resumed


async def find_blocks_of_ours(tx: DatabaseTransaction, network: str, transfers: Sequence[SeenTransfer]) -> set[int]:
    """The numbers of the blocks in which a transfer went to one of our addresses."""
    owners = await wallets.find_owners(tx, network, sorted({seen.recipient for seen in transfers}))
    return {seen.block_number for seen in transfers if seen.recipient in owners}


async def record_blocks(tx: DatabaseTransaction, network: Network, reading: Reading) -> bool:
    """Write down what a range of blocks held, and move on; false when another worker was faster.

    Deposits are known by network, transaction hash and position: reading a range again changes nothing. A range
    that begins before where reading stood replaces blocks that a reorg removed; deposits that are not in the new
    ones are ORPHANED, and what was booked for them is taken back.
    """
    position = await chains.lock_position(tx, network.name)
    if position is None or position.stopped or position.next_block != reading.expected_next:
        return False
    found = await _match(tx, network, reading.transfers)
    # The new branch may be shorter: then nothing is left of what stood above its head.
    ends = reading.first < position.next_block and reading.last >= reading.head_number
    await _orphan(tx, network, (reading.first, None if ends else reading.last), found)
    await _record(tx, network, found)
    keep_from = min(reading.head_number - network.reorg_depth, reading.last)
    await chains.replace_blocks(tx, network.name, reading.first, reading.block_hashes, keep_from)
    await chains.save_position(
        tx,
        replace(
            position,
            next_block=reading.last + 1,
            head_number=reading.head_number,
            head_time=reading.head_time,
            read_at=tx.clock.wall(),
            final_number=min(reading.final_number, reading.last),
            doubt=reading.doubt,
        ),
    )
    return True


async def record_missed(tx: DatabaseTransaction, network: Network, transfers: Sequence[SeenTransfer]) -> int:
    """Write down final transfers that reading did not see, as it would have; returns how many deposits that are."""
    await chains.lock_position(tx, network.name)
    found = await _match(tx, network, transfers)
    await _record(tx, network, found)
    return len(found)


async def _match(tx: DatabaseTransaction, network: Network, transfers: Sequence[SeenTransfer]) -> list[Deposit]:
    """The transfers to our addresses, as the deposits that they would begin."""
    tokens = {token.contract: token for token in network.tokens.values()}
    owners = await wallets.find_owners(tx, network.name, sorted({seen.recipient for seen in transfers}))
    return [
        _new_deposit(tx, network, seen, tokens[seen.contract], owners[seen.recipient])
        for seen in transfers
        if seen.recipient in owners and seen.contract in tokens and seen.amount > 0
    ]


async def _record(tx: DatabaseTransaction, network: Network, found: Sequence[Deposit]) -> None:
    logs = [(one.transaction.merchant_id, one.transaction.hash or "", one.position) for one in found]
    known = await deposits.lock_by_log(tx, network.name, logs) if logs else {}
    fresh = []
    for log, deposit in zip(logs, found, strict=True):
        before = known.get(log)
        if before is None:
            fresh.append(deposit)
        elif before.block_hash != deposit.block_hash or before.transaction.status is Status.ORPHANED:
            await _include_again(tx, before, deposit)
    if fresh:
        await transactions.insert(tx, [deposit.transaction for deposit in fresh])
        await deposits.insert(tx, network.name, fresh)
        await events.deposits_changed(tx, [deposit.transaction for deposit in fresh])


def _new_deposit(
    tx: DatabaseTransaction,
    network: Network,
    seen: SeenTransfer,
    token: Token,
    owner: Owner,
) -> Deposit:
    transaction = Transaction(
        merchant_id=owner.merchant_id,
        transaction_id=tx.ids.next(),
        transaction_type=TransactionType.DEPOSIT,
        merchant_transaction_id=None,
        wallet_id=owner.wallet_id,
        counter_wallet_id=None,
        merchant_user_id=owner.merchant_user_id,
        amount=Money(seen.amount, token.asset),
        fee=Money.zero(token.asset),
        status=Status.CONFIRMING,
        from_address=seen.sender,
        to_address=seen.recipient,
        hash=seen.hash,
        block_number=seen.block_number,
        confirmations=1,
        required_confirmations=network.confirmations,
        remark=None,
        fail_reason=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=None,
        earmark=owner.earmark,
        block_time=seen.block_time,
    )
    return Deposit(transaction, seen.position, seen.block_hash, seen.contract, None, None)


async def _include_again(tx: DatabaseTransaction, deposit: Deposit, found: Deposit) -> None:
    """A reorg moved the deposit to another block; if it was orphaned it begins to confirm again, as it is there."""
    if deposit.transaction.status is not Status.ORPHANED:
        moved = replace(
            deposit.transaction,
            block_number=found.transaction.block_number,
            block_time=found.transaction.block_time,
            updated_at=tx.now,
        )
        await deposits.save_place(tx, replace(deposit, transaction=moved, block_hash=found.block_hash))
        return
    before = deposit.transaction
    again = replace(found.transaction, transaction_id=before.transaction_id, created_at=before.created_at)
    await deposits.save_place(tx, replace(found, transaction=again))
    await events.deposits_changed(tx, [again])


async def _orphan(
    tx: DatabaseTransaction, network: Network, blocks: tuple[int, int | None], found: Sequence[Deposit]
) -> None:
    """Deposits on record in these blocks (up to the last, if one is named) that the chain does not have there.

    A contract that runs again in another block may pay another amount, or somebody else.
    """
    still_there = {_content(deposit) for deposit in found}
    for deposit in await deposits.lock_in_blocks(tx, network.name, *blocks):
        if _content(deposit) not in still_there:
            await orphan(tx, deposit.transaction)


def _content(deposit: Deposit) -> tuple[object, ...]:
    transaction = deposit.transaction
    place = (transaction.merchant_id, transaction.wallet_id, transaction.hash, deposit.position)
    return (*place, deposit.contract, transaction.amount)
