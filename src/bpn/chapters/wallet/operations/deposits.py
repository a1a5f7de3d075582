"""From a deposit on record to money in a wallet: book, screen, release; and take back what a reorg removed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import ServicePaused
from bpn.chapters.wallet.model import Deposit, Network, ScreeningCase, Status, Transaction, TransactionType, WalletTerms
from bpn.chapters.wallet.model.reading import Evidence
from bpn.chapters.wallet.operations.earmarks import sender_is_known
from bpn.chapters.wallet.store import chains, deposits, transactions
from bpn.controls.model import Operation
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Movement, Transfer

_NAME_FIELDS = ("orgName", "orgFirstName", "orgLastName", "corpName")


async def orphan(tx: DatabaseTransaction, transaction: Transaction) -> None:
    """The chain does not have a deposit any more: take back what was booked. The caller holds its row."""
    rules.check_transition(transaction.transaction_type, transaction.status, Status.ORPHANED)
    await _take_back(tx, transaction)
    gone = replace(transaction, status=Status.ORPHANED, block_number=None, updated_at=tx.now, completed_at=None)
    await transactions.save(tx, gone)
    if gone.earmark is not None:
        await deposits.set_cleared(tx, gone, None)
    await events.deposits_changed(tx, [gone])


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


async def list_final(tx: DatabaseTransaction, network: Network, limit: int = 500) -> list[Deposit]:
    """Deposits in final blocks that are not booked yet; none while the reading is stopped or in doubt."""
    position = await chains.find_position(tx, network.name)
    if position is None or position.stopped or position.doubt:
        return []
    return await deposits.list_final(tx, network.name, position.final_number, limit)


async def confirm_deposits(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    network: Network,
    evidence: Mapping[int, Evidence | None],
    limit: int = 500,
) -> int:
    """Book deposits in final blocks for which the evidence speaks: `unavailable` rises and the sender is asked for.

    `evidence` is by transaction id; None says that no such transaction is on the chain, and a deposit without any
    waits. What a token kept for itself is not credited. What is below the minimum goes to suspense and is REJECTED.
    Returns how many were decided.
    """
    position = await chains.find_position(tx, network.name)
    final = [one for one in await list_final(tx, network, limit) if one.transaction.transaction_id in evidence]
    deadline = tx.now + terms.sender_deadline
    known = await deposits.with_sender(tx, [deposit.transaction for deposit in final]) if final else set()
    accepted, asked, decided = [], [], 0
    for deposit in final:
        proof = evidence[deposit.transaction.transaction_id]
        if proof is None and position is not None:
            # Deep down nothing is late any more: the endpoint that told of it stands alone.
            if (deposit.transaction.block_number or 0) < position.head_number - network.reorg_depth:
                await orphan(tx, deposit.transaction)
                decided += 1
            continue
        if proof is None or not rules.proves(proof, deposit):
            continue
        decided += 1
        transaction = await _received(tx, deposit.transaction, proof)
        minimum = network.tokens[transaction.amount.asset.currency].minimum_deposit
        # What an earmark's owner is short of may be less than the minimum.
        if transaction.earmark is None and transaction.amount < minimum:
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
    return decided


async def _received(tx: DatabaseTransaction, transaction: Transaction, proof: Evidence) -> Transaction:
    """The deposit with the amount that really arrived."""
    if proof.received is None or proof.received >= transaction.amount.minor:
        return transaction
    amount = Money(proof.received, transaction.amount.asset)
    kept = Money(transaction.amount.minor - proof.received, transaction.amount.asset)
    received = replace(transaction, amount=amount, remark=f"The token kept {kept} of what was sent.")
    await deposits.set_received(tx, received)
    return received


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
    if transaction.amount.minor:
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

    Raises:
        ServicePaused: the network is not read up to the deposit, or in doubt.
    """
    rules.check_transition(transaction.transaction_type, transaction.status, Status.COMPLETED)
    if not await _is_settled(tx, transaction):
        raise ServicePaused(f"{transaction.amount.asset.network} is in doubt: deposits are released once it is not.")
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


async def _is_settled(tx: DatabaseTransaction, transaction: Transaction) -> bool:
    """Whether the chain that a deposit lies on is read up to its block and nothing speaks against it."""
    position = await chains.find_position(tx, transaction.amount.asset.network or "")
    return (
        position is not None
        and not (position.stopped or position.doubt)
        and (transaction.block_number or 0) < position.next_block
    )


async def list_screening(terms: WalletTerms, tx: DatabaseTransaction, network: str) -> list[ScreeningCase]:
    """The deposits whose senders are to be looked up; where deposits are paused or the chain is in doubt, they wait."""
    position = await chains.find_position(tx, network)
    lags = position is None or tx.now - position.head_time > terms.networks[network].head_lag
    if position is None or lags or position.stopped or position.doubt:
        return []
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
    """Clear a screened deposit, or freeze it; None when another worker decided before.

    None, too, while the network is in doubt: it is looked up again later.
    """
    transaction = await transactions.lock(tx, case.merchant_id, case.transaction_id)
    if transaction is None or transaction.status is not Status.SCREENING or await deposits.cleared(tx, [transaction]):
        return None
    if not await _is_settled(tx, transaction):
        return None
    if not hit:
        return await clear_deposit(tx, transaction)
    rules.check_transition(transaction.transaction_type, transaction.status, Status.FROZEN)
    frozen = replace(transaction, status=Status.FROZEN, fail_reason=reason, updated_at=tx.now)
    await transactions.save(tx, frozen)
    await events.deposits_changed(tx, [frozen])
    return frozen
