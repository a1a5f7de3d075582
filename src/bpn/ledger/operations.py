"""Post, read, seal, verify: the public face of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset, Assets
from bpn.kernel.clock import to_microseconds
from bpn.kernel.money import Money
from bpn.ledger import rules
from bpn.ledger.errors import InsufficientBalance, LedgerFault
from bpn.ledger.model import (
    HOUSE,
    Account,
    AccountState,
    Balance,
    Chain,
    Movement,
    MovementKey,
    Outcome,
    Resolution,
    Transfer,
    Verification,
    house_account,
    merchant_account,
)
from bpn.ledger.store import accounts as account_store
from bpn.ledger.store import journal as journal_store
from bpn.ledger.store import proof as proof_store
from bpn.ledger.store import seals as seal_store


async def register_assets(tx: Transaction, assets: Assets) -> None:
    """Make assets known to the ledger.

    Raises:
        LedgerFault: a known asset comes with another scale; its amounts would change their meaning.
    """
    await account_store.register_assets(tx, assets)


async def post(tx: Transaction, chains: Sequence[Chain]) -> list[Outcome]:
    """Decide a batch in order and write what is accepted: the only way a balance changes.

    Accounts are locked in (book, id) order, so that batches never deadlock. A refused chain leaves no trace and
    does not disturb the others.

    Args:
        tx: the caller's transaction; the batch is as final as its commit.
        chains: each a group of movements that happen together or not at all.

    Returns:
        What became of each chain, in the order given.

    Raises:
        ValueError: a chain that no ledger may hold (zero amount, mixed assets, two books).
    """
    if not chains:
        return []
    for chain in chains:
        rules.check_chain(chain)
    movements = [movement for chain in chains for movement in chain]
    hold_keys = {(m.merchant_id, m.pending_id) for m in movements if isinstance(m, Resolution)}
    holds = await journal_store.find_holds(tx, hold_keys) if hold_keys else {}
    accounts = {account: None for movement in movements for account in _accounts(movement)}
    accounts |= {account: None for hold in holds.values() for account in (hold.debit, hold.credit)}
    states, content = await _lock(tx, list(accounts), {rules.movement_key(movement) for movement in movements})
    if hold_keys:
        holds = await journal_store.find_holds(tx, hold_keys)
    journal = rules.Journal(states, holds, content)
    outcomes = rules.decide(chains, journal)
    if journal.records:
        time = max(tx.clock.now(), *(state.recorded_at for state in states.values()))
        batches = rules.arrange(journal.records, tx.ids.next, to_microseconds(time))
        await journal_store.append(tx, batches, states.values(), time)
    return outcomes


async def _lock(
    tx: Transaction, accounts: list[Account], keys: set[MovementKey]
) -> tuple[dict[Account, AccountState], dict[MovementKey, tuple[object, ...]]]:
    """The accounts, held, and what stands under the movements' ids: one round trip where all accounts exist."""
    async with tx.together():
        locks = await account_store.ask_locks(tx, accounts)
        asked = await journal_store.ask_content(tx, keys)
        states = await account_store.read_locks(locks, accounts)
        content = await journal_store.read_content(asked)
    if len(states) == len(accounts):
        return states, content
    states = await account_store.lock_accounts(tx, accounts)
    # Whoever made an account meanwhile may have posted one of these movements.
    return states, await journal_store.read_content(await journal_store.ask_content(tx, keys))


async def post_one(tx: Transaction, *chain: Movement) -> None:
    """Post one chain or refuse.

    Raises:
        InsufficientBalance: an account cannot give the amount.
        LedgerFault: any other outcome than posted or repeated.
    """
    (outcome,) = await post(tx, [chain])
    if outcome is Outcome.INSUFFICIENT:
        raise InsufficientBalance("The available balance is less than the amount and its fee.")
    if not outcome.accepted:
        raise LedgerFault(f"{outcome.value}: {chain}")


def across(
    tx: Transaction, debit: Account, credit: Account, amount: Money, code: str, reference_id: int
) -> tuple[Transfer, ...]:
    """The transfers that move an amount from one account to another, also of another book.

    Between a merchant and the house they pass a due-from / due-to pair, between two merchants two pairs, so that
    every book sums to zero by itself. Post them in one chain.
    """
    asset = amount.asset

    def transfer(source: Account, target: Account) -> Transfer:
        return Transfer(tx.ids.next(), source, target, amount, code, reference_id)

    if debit.merchant_id == credit.merchant_id:
        return (transfer(debit, credit),)
    transfers, source = [], debit
    if debit.merchant_id != HOUSE:
        transfers.append(transfer(debit, house_account(debit.merchant_id, asset)))
        source = merchant_account(debit.merchant_id, asset)
    if credit.merchant_id == HOUSE:
        return (*transfers, transfer(source, credit))
    transfers.append(transfer(source, merchant_account(credit.merchant_id, asset)))
    return (*transfers, transfer(house_account(credit.merchant_id, asset), credit))


def _accounts(movement: Movement) -> tuple[Account, ...]:
    return (movement.debit, movement.credit) if isinstance(movement, Transfer) else ()


async def balances(tx: Transaction, accounts: Sequence[Account], at: datetime | None = None) -> list[Balance]:
    """Balances in the order of the accounts, now or as of a moment; zero for accounts not yet used."""
    return await account_store.balances(tx, accounts, at)


async def totals(tx: Transaction, name: str, assets: Sequence[Asset]) -> list[int]:
    """Sums over all books of the accounts of one name, posted, minor units, by asset in the order given."""
    return await account_store.totals(tx, name, assets)


async def seal(tx: Transaction, limit: int = 1_000) -> int:
    """Chain batches that are not sealed yet to their books' hash chains; returns how many."""
    unsealed = await seal_store.take_unsealed(tx, limit)
    last = await seal_store.last_seals(tx, {book for book, _, _ in unsealed})
    await seal_store.append_seals(tx, rules.chain_seals(unsealed, last))
    return len(unsealed)


async def verify(tx: Transaction) -> Verification:
    """Prove the books: every sum, every balance recomputed from its entries, the hash chain of every book.

    Args:
        tx: a snapshot transaction, so that all is read as of one moment.

    Returns:
        What was read, and for each check that failed its first bad row.
    """
    findings = [finding async for finding in proof_store.find_unsound_rows(tx)]
    journal, chain = rules.JournalChecker(), rules.SealChecker()
    async for row in proof_store.journal(tx):
        journal.read(row)
    async for seal in proof_store.seals(tx):
        chain.read(*seal)
    findings += [finding for finding in (journal.finish(), chain.finding) if finding]
    accounts, transfers, entries, seals, unsealed = await proof_store.count_rows(tx)
    return Verification(accounts, transfers, entries, seals, unsealed, tuple(findings))
