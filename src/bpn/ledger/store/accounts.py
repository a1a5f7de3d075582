"""Assets, accounts and their balances."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncCursor

from bpn.database.pool import Transaction
from bpn.database.rows import integers, texts
from bpn.kernel.assets import Asset, Assets
from bpn.ledger.errors import LedgerFault
from bpn.ledger.model import (
    Account,
    AccountState,
    Balance,
)


async def register_assets(tx: Transaction, assets: Assets) -> None:
    """Add assets that are new; LedgerFault when a known one comes with another scale."""
    codes, currencies = [a.code for a in assets], [a.currency for a in assets]
    networks, scales = [a.network for a in assets], [a.scale for a in assets]
    cursor = await tx.connection.execute(
        """
        WITH given AS (
            SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::smallint[]) g(code, currency, network, scale)
        ), added AS (
            INSERT INTO ledger_assets SELECT * FROM given ON CONFLICT DO NOTHING
        )
        SELECT code, known.scale, given.scale FROM ledger_assets known JOIN given USING (code)
        WHERE known.scale <> given.scale
        """,
        (codes, currencies, networks, scales),
    )
    for code, known, given in await cursor.fetchall():
        raise LedgerFault(f"{code} has scale {known} in this ledger; it cannot become {given}")


async def lock_accounts(tx: Transaction, accounts: Collection[Account]) -> dict[Account, AccountState]:
    """Lock accounts in (book, id) order, making those that do not exist yet."""
    ordered = list(accounts)
    found = await read_locks(await ask_locks(tx, ordered), ordered)
    missing = [account for account in ordered if account not in found]
    if missing:
        await _create_accounts(tx, missing)
        # All again, so that locks are taken in one order even among accounts made just now.
        found = await read_locks(await ask_locks(tx, ordered), ordered)
    return found


async def ask_locks(tx: Transaction, accounts: Sequence[Account]) -> AsyncCursor[Any]:
    """Send the statement that locks those accounts that exist; `read_locks` awaits it."""
    return await tx.connection.execute(
        """
        SELECT g.place, a.account_id, a.posted::text, a.pending::text, a.version, a.recorded_at, a.policy
        FROM unnest(%s::bigint[], %s::text[], %s::text[]) WITH ORDINALITY g(merchant_id, name, asset, place)
        JOIN ledger_accounts a USING (merchant_id, name, asset)
        ORDER BY a.merchant_id, a.account_id
        FOR UPDATE OF a
        """,
        (
            integers([account.merchant_id for account in accounts]),
            texts([account.name for account in accounts]),
            texts([account.asset.code for account in accounts]),
        ),
    )


async def read_locks(asked: AsyncCursor[Any], accounts: Sequence[Account]) -> dict[Account, AccountState]:
    """The accounts that `ask_locks` found, held now."""
    states = {}
    for place, account_id, posted, pending, version, recorded_at, policy in await asked.fetchall():
        account = accounts[place - 1]
        if policy != account.policy:
            raise LedgerFault(f"account {account.name} has policy {policy}, not {account.policy}")
        states[account] = AccountState(account, account_id, int(posted), int(pending), version, version, recorded_at)
    return states


async def _create_accounts(tx: Transaction, accounts: Sequence[Account]) -> None:
    await tx.connection.execute(
        """
        INSERT INTO ledger_accounts (merchant_id, account_id, name, asset, policy, recorded_at)
        SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
        ON CONFLICT (merchant_id, name, asset) DO NOTHING
        """,
        (
            tx.now,
            integers([account.merchant_id for account in accounts]),
            integers([tx.ids.next() for _ in accounts]),
            texts([account.name for account in accounts]),
            texts([account.asset.code for account in accounts]),
            [account.policy for account in accounts],
        ),
    )


async def balances(tx: Transaction, accounts: Sequence[Account], at: datetime | None) -> list[Balance]:
    """Balances of accounts in the order given, now or as of a time; zero for one that does not exist (yet)."""
    balance = "SELECT a.posted::text, a.pending::text"
    if at is not None:
        balance = """
            SELECT e.posted_after::text, e.pending_after::text FROM ledger_entries e
            WHERE e.merchant_id = a.merchant_id AND e.account_id = a.account_id AND e.recorded_at <= %(at)s
            ORDER BY e.recorded_at DESC, e.version DESC LIMIT 1"""
    cursor = await tx.connection.execute(
        f"""
        SELECT g.place, b.posted, b.pending
        FROM unnest(%(books)s::bigint[], %(names)s::text[], %(assets)s::text[])
             WITH ORDINALITY g(merchant_id, name, asset, place)
        JOIN ledger_accounts a USING (merchant_id, name, asset)
        CROSS JOIN LATERAL ({balance}) b(posted, pending)
        """,
        {
            "books": integers([account.merchant_id for account in accounts]),
            "names": texts([account.name for account in accounts]),
            "assets": texts([account.asset.code for account in accounts]),
            "at": at,
        },
    )
    found = [Balance(0, 0)] * len(accounts)
    for place, posted, pending in await cursor.fetchall():
        found[place - 1] = Balance(int(posted), int(pending))
    return found


async def totals(tx: Transaction, name: str, assets: Sequence[Asset]) -> list[int]:
    """Sums of `posted` over all books of the accounts of a name, by asset."""
    cursor = await tx.connection.execute(
        """
        SELECT g.place, coalesce(sum(a.posted), 0)::text
        FROM unnest(%s::text[]) WITH ORDINALITY g(asset, place)
        LEFT JOIN ledger_accounts a ON a.asset = g.asset AND a.name = %s
        GROUP BY g.place ORDER BY g.place
        """,
        (texts([asset.code for asset in assets]), name),
    )
    return [int(total) for _, total in await cursor.fetchall()]
