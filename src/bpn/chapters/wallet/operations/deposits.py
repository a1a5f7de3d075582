"""From a log on the chain to money in a wallet: read, confirm, screen, release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.model import (
    ChainPosition,
    Deposit,
    Network,
    Owner,
    Reading,
    ScreeningCase,
    SeenTransfer,
    Status,
    Token,
    Transaction,
    TransactionType,
    WalletTerms,
)
from bpn.chapters.wallet.operations.earmarks import sender_is_known
from bpn.chapters.wallet.store import chains, deposits, transactions, wallets
from bpn.controls.model import Operation
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Movement, Transfer

_NAME_FIELDS = ("orgName", "orgFirstName", "orgLastName", "corpName")


async def plan_reading(
    tx: DatabaseTransaction, network: Network, head_number: int, head_time: datetime
) -> tuple[ChainPosition, dict[int, str]]:
    """How far the network has been read, and the hashes of the blocks remembered; begins at the head if new."""
    position = await chains.find_position(tx, network.name)
    if position is None:
        position = ChainPosition(network.name, head_number + 1, head_number, head_time, tx.clock.wall())
        await chains.insert_position(tx, position)
    return position, await chains.block_hashes(tx, network.name)


async def record_blocks(terms: WalletTerms, tx: DatabaseTransaction, reading: Reading) -> bool:
    """Write down what a range of blocks held, and move on; false when another worker was faster.

    Deposits are known by network, transaction hash and position: reading a range again changes nothing. A range
    that begins before where reading stood replaces blocks that a reorg removed; deposits that are not in the new
    ones are ORPHANED, and what was booked for them is taken back.
    """
    network = terms.networks[reading.network]
    position = await chains.lock_position(tx, network.name)
    if position is None or position.next_block != reading.expected_next:
        return False
    found = await _match(tx, network, reading.transfers)
    if reading.first < position.next_block:
        still_there = {(seen.hash, seen.position) for seen, _, _ in found}
        await _orphan(tx, network, reading.first, still_there)
    await _record(tx, network, found)
    await chains.replace_blocks(
        tx, network.name, reading.first, reading.block_hashes, reading.head_number - terms.reorg_depth
    )
    await chains.save_position(
        tx,
        replace(
            position,
            next_block=reading.last + 1,
            head_number=reading.head_number,
            head_time=reading.head_time,
            read_at=tx.clock.wall(),
        ),
    )
    return True


_Found = tuple[SeenTransfer, Token, Owner]
"""A transfer to one of our addresses: the token, and whose it is."""


async def _match(tx: DatabaseTransaction, network: Network, transfers: Sequence[SeenTransfer]) -> list[_Found]:
    tokens = {token.contract: token for token in network.tokens.values()}
    owners = await wallets.find_owners(tx, network.name, sorted({seen.recipient for seen in transfers}))
    return [
        (seen, tokens[seen.contract], owners[seen.recipient])
        for seen in transfers
        if seen.recipient in owners and seen.contract in tokens and seen.amount > 0
    ]


async def _record(tx: DatabaseTransaction, network: Network, found: Sequence[_Found]) -> None:
    known = await deposits.lock_by_log(
        tx, network.name, [(owner.merchant_id, seen.hash, seen.position) for seen, _, owner in found]
    )
    fresh = []
    for seen, token, owner in found:
        deposit = known.get((seen.hash, seen.position))
        if deposit is None:
            fresh.append(_new_deposit(tx, network, seen, token, owner))
        elif deposit.block_hash != seen.block_hash:
            await _include_again(tx, deposit, seen)
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
    )
    return Deposit(transaction, seen.position, seen.block_hash, seen.contract, None, None)


async def _include_again(tx: DatabaseTransaction, deposit: Deposit, seen: SeenTransfer) -> None:
    """A reorg moved the deposit to another block; if it was orphaned it begins to confirm again."""
    transaction = replace(deposit.transaction, block_number=seen.block_number, updated_at=tx.now)
    await deposits.set_block(tx, deposit, seen.block_hash)
    if transaction.status is Status.ORPHANED:
        transaction = replace(transaction, status=Status.CONFIRMING)
        await events.deposits_changed(tx, [transaction])
    await transactions.save(tx, transaction)


async def _orphan(tx: DatabaseTransaction, network: Network, first: int, still_there: set[tuple[str, int]]) -> None:
    gone = [
        deposit
        for deposit in await deposits.lock_from_block(tx, network.name, first)
        if (deposit.transaction.hash or "", deposit.position) not in still_there
    ]
    for deposit in gone:
        transaction = deposit.transaction
        rules.check_transition(transaction.transaction_type, transaction.status, Status.ORPHANED)
        await _take_back(tx, transaction)
        orphan = replace(transaction, status=Status.ORPHANED, block_number=None, updated_at=tx.now, completed_at=None)
        await transactions.save(tx, orphan)
        if orphan.earmark is not None:
            await deposits.set_cleared(tx, orphan, None)
        await events.deposits_changed(tx, [orphan])


async def _take_back(tx: DatabaseTransaction, transaction: Transaction) -> None:
    """Undo what was booked for a deposit that a reorg removed.

    Of what was released, the wallet gives what is available; what is spent, or on its way back to its sender, becomes
    a receivable of the merchant.
    """
    asset, merchant_id = transaction.amount.asset, transaction.merchant_id
    custody = rules.custody_account(merchant_id, asset)
    code = "wallet.deposit_orphaned"
    if transaction.status is Status.COMPLETED:
        available = rules.available_account(merchant_id, transaction.wallet_id, asset)
        (balance,) = await ledger.balances(tx, [available])
        given = min(transaction.amount.minor, max(0, balance.available))
        owed = transaction.amount.minor - given
        receivable = rules.receivable_account(merchant_id, asset)
        parts = [(available, given, code), (receivable, owed, "wallet.deposit_owed")]
    elif transaction.status in {Status.RETURNING, Status.RETURNED}:
        parts = [(rules.receivable_account(merchant_id, asset), transaction.amount.minor, "wallet.deposit_owed")]
    elif transaction.status is Status.REJECTED:
        parts = [(rules.suspense_account(merchant_id, asset), transaction.amount.minor, code)]
    elif transaction.status is Status.CONFIRMING:
        parts = []
    else:
        unreleased = rules.unreleased_account(merchant_id, transaction.wallet_id, asset)
        parts = [(unreleased, transaction.amount.minor, code)]
    movements = [_part(tx, transaction, source, custody, minor, code) for source, minor, code in parts if minor]
    if movements:
        await ledger.post_one(tx, *movements)


async def confirm_deposits(terms: WalletTerms, tx: DatabaseTransaction, network: Network, limit: int = 500) -> int:
    """Book deposits that have enough confirmations: `unavailable` rises and the sender is asked for.

    What is below the minimum goes to suspense and is REJECTED. Returns how many were decided.
    """
    position = await chains.find_position(tx, network.name)
    if position is None:
        return 0
    confirmed = await transactions.lock_open(
        tx,
        TransactionType.DEPOSIT,
        network.name,
        Status.CONFIRMING,
        up_to_block=position.head_number - network.confirmations + 1,
        limit=limit,
    )
    deadline = tx.now + terms.sender_deadline
    known = await deposits.with_sender(tx, confirmed)
    accepted, asked = [], []
    for transaction in confirmed:
        minimum = network.tokens[transaction.amount.asset.currency].minimum_deposit
        if transaction.amount < minimum:
            await _reject_small(tx, transaction, minimum)
            continue
        await ledger.post_one(tx, _movement(tx, transaction, *_booked(transaction), "wallet.deposit"))
        # One that a reorg moved may have its sender's details from before, an earmark may bring them.
        ready = transaction.transaction_id in known or await sender_is_known(terms, tx, transaction)
        following = Status.SCREENING if ready else Status.SENDER_REQUIRED
        booked = replace(transaction, status=following, updated_at=tx.now)
        await transactions.save(tx, booked)
        accepted.append(booked)
        if following is Status.SENDER_REQUIRED:
            await deposits.set_deadline(tx, booked.merchant_id, booked.transaction_id, deadline)
            asked.append(booked)
    await events.deposits_changed(tx, accepted)
    await events.sender_required(tx, asked, deadline)
    return len(confirmed)


async def _reject_small(tx: DatabaseTransaction, transaction: Transaction, minimum: Money) -> None:
    asset = transaction.amount.asset
    custody = rules.custody_account(transaction.merchant_id, asset)
    reason = f"Below the minimum deposit of {minimum} {asset.currency}."
    await _refuse(tx, transaction, custody, "wallet.deposit_below_minimum", reason)


def _booked(transaction: Transaction) -> tuple[Account, Account]:
    """The accounts between which a confirmed deposit is booked."""
    asset = transaction.amount.asset
    return (
        rules.custody_account(transaction.merchant_id, asset),
        rules.unreleased_account(transaction.merchant_id, transaction.wallet_id, asset),
    )


def _movement(
    tx: DatabaseTransaction, transaction: Transaction, debit: Account, credit: Account, code: str
) -> Transfer:
    return _part(tx, transaction, debit, credit, transaction.amount.minor, code)


def _part(
    tx: DatabaseTransaction, transaction: Transaction, debit: Account, credit: Account, minor: int, code: str
) -> Transfer:
    amount = Money(minor, transaction.amount.asset)
    return Transfer(tx.ids.next(), debit, credit, amount, code, transaction.transaction_id)


async def expire_senders(tx: DatabaseTransaction, network: str, limit: int = 100) -> int:
    """Put deposits into suspense whose sender's details have not come by the deadline; returns how many."""
    overdue = await deposits.lock_overdue(tx, network, tx.now, limit)
    for transaction in overdue:
        await put_into_suspense(tx, transaction, "No sender details came by the deadline.")
    return len(overdue)


async def put_into_suspense(tx: DatabaseTransaction, transaction: Transaction, reason: str) -> Transaction:
    """Refuse a booked deposit: the money stays held outside the wallet. The caller holds its row."""
    asset = transaction.amount.asset
    unreleased = rules.unreleased_account(transaction.merchant_id, transaction.wallet_id, asset)
    return await _refuse(tx, transaction, unreleased, "wallet.deposit_refused", reason)


async def _refuse(
    tx: DatabaseTransaction, transaction: Transaction, source: Account, code: str, reason: str
) -> Transaction:
    rules.check_transition(transaction.transaction_type, transaction.status, Status.REJECTED)
    suspense = rules.suspense_account(transaction.merchant_id, transaction.amount.asset)
    await ledger.post_one(tx, _movement(tx, transaction, source, suspense, code))
    refused = replace(transaction, status=Status.REJECTED, fail_reason=reason, updated_at=tx.now, completed_at=tx.now)
    await transactions.save(tx, refused)
    await events.deposits_changed(tx, [refused])
    return refused


async def clear_deposit(tx: DatabaseTransaction, transaction: Transaction) -> Transaction:
    """Nothing stands against a booked deposit: release it, or tell its earmark's owner. The caller holds its row."""
    if transaction.earmark is None:
        return await release_deposit(tx, transaction)
    cleared = transaction
    if transaction.status is Status.FROZEN:
        cleared = replace(transaction, status=Status.SCREENING, fail_reason=None, updated_at=tx.now)
        await transactions.save(tx, cleared)
        await events.deposits_changed(tx, [cleared])
    await deposits.set_cleared(tx, cleared, tx.now)
    await events.deposit_cleared(tx, cleared)
    return cleared


async def release_deposit(
    tx: DatabaseTransaction, transaction: Transaction, also: Sequence[Movement] = ()
) -> Transaction:
    """Give a booked deposit to its wallet, less what the merchant owes. The caller holds its row.

    Args:
        tx: the transaction.
        transaction: the deposit, booked, or held in suspense.
        also: movements that happen with it or not at all, such as a hold of what arrives.
    """
    rules.check_transition(transaction.transaction_type, transaction.status, Status.COMPLETED)
    asset, merchant_id = transaction.amount.asset, transaction.merchant_id
    source = (
        rules.suspense_account(merchant_id, asset)
        if transaction.status is Status.REJECTED
        else rules.unreleased_account(merchant_id, transaction.wallet_id, asset)
    )
    available = rules.available_account(merchant_id, transaction.wallet_id, asset)
    receivable = rules.receivable_account(merchant_id, asset)
    (owed,) = await ledger.balances(tx, [receivable])
    repaid = min(-owed.posted, transaction.amount.minor)
    parts = [
        (receivable, repaid, "wallet.deposit_owed_repaid"),
        (available, transaction.amount.minor - repaid, "wallet.deposit_released"),
    ]
    release = [_part(tx, transaction, source, target, minor, code) for target, minor, code in parts if minor]
    await ledger.post_one(tx, *release, *also)
    released = replace(transaction, status=Status.COMPLETED, fail_reason=None, updated_at=tx.now, completed_at=tx.now)
    await transactions.save(tx, released)
    await events.deposits_changed(tx, [released])
    return released


async def list_screening(terms: WalletTerms, tx: DatabaseTransaction, network: str) -> list[ScreeningCase]:
    """The deposits whose senders are to be looked up; where deposits are paused they wait."""
    view = await terms.controls.view(tx)
    waiting: list[Transaction] = []
    after = 0
    kind, status = TransactionType.DEPOSIT, Status.SCREENING
    while not waiting and (read := await transactions.lock_open(tx, kind, network, status, after=after)):
        cleared = await deposits.cleared(tx, read)
        waiting = [
            one
            for one in read
            if one.transaction_id not in cleared
            and view.is_running(one.merchant_id, Operation.DEPOSIT, one.amount.asset)
        ]
        after = read[-1].transaction_id
    return [
        ScreeningCase(
            transaction.merchant_id,
            transaction.transaction_id,
            transaction.from_address,
            _names(await deposits.sender_details(tx, terms.cipher, transaction)),
        )
        for transaction in waiting
    ]


def _names(details: str | None) -> tuple[str, ...]:
    fields: Mapping[str, object] = json.loads(details or "{}")
    first, last = fields.get("orgFirstName"), fields.get("orgLastName")
    names = [str(fields[name]) for name in _NAME_FIELDS if fields.get(name)]
    return tuple([*names, f"{first} {last}"] if first and last else names)


async def decide_screening(
    tx: DatabaseTransaction, case: ScreeningCase, *, hit: bool, reason: str | None
) -> Transaction | None:
    """Clear a screened deposit, or freeze it; None when another worker decided before."""
    transaction = await transactions.lock(tx, case.merchant_id, case.transaction_id)
    if transaction is None or transaction.status is not Status.SCREENING or await deposits.cleared(tx, [transaction]):
        return None
    if not hit:
        return await clear_deposit(tx, transaction)
    rules.check_transition(transaction.transaction_type, transaction.status, Status.FROZEN)
    frozen = replace(transaction, status=Status.FROZEN, fail_reason=reason, updated_at=tx.now)
    await transactions.save(tx, frozen)
    await events.deposits_changed(tx, [frozen])
    return frozen
