"""All SQL of the `ledger_*` tables. Every statement is set-wise: a batch of one is a batch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString

from bpn.database.pool import Transaction
from bpn.database.rows import hexadecimals, integers, optional_integers, texts
from bpn.kernel.assets import Asset, Assets
from bpn.kernel.clock import to_microseconds
from bpn.ledger.errors import LedgerFault
from bpn.ledger.model import (
    Account,
    AccountState,
    Balance,
    Batch,
    Entry,
    Finding,
    Hold,
    JournalRow,
    MovementKey,
    Policy,
    RecordKind,
    Seal,
    TransferRecord,
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
    found = await _lock_existing(tx, ordered)
    missing = [account for account in ordered if account not in found]
    if missing:
        await _create_accounts(tx, missing)
        # All again, so that locks are taken in one order even among accounts made just now.
        found = await _lock_existing(tx, ordered)
    return found


async def _lock_existing(tx: Transaction, accounts: Sequence[Account]) -> dict[Account, AccountState]:
    cursor = await tx.connection.execute(
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
    states = {}
    for place, account_id, posted, pending, version, recorded_at, policy in await cursor.fetchall():
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


async def find_content(tx: Transaction, keys: Collection[MovementKey]) -> dict[MovementKey, tuple[object, ...]]:
    """What stands in the journal under these ids, as `rules.movement_content` writes it."""
    cursor = await tx.connection.execute(
        """
        SELECT t.merchant_id, t.transfer_id, t.kind, t.code, t.reference_id, t.amount::text, t.asset, t.pending_id,
               d.name, c.name
        FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, transfer_id)
        JOIN ledger_transfers t USING (merchant_id, transfer_id)
        JOIN ledger_accounts d ON d.merchant_id = t.merchant_id AND d.account_id = t.debit_id
        JOIN ledger_accounts c ON c.merchant_id = t.merchant_id AND c.account_id = t.credit_id
        """,
        (integers([key[0] for key in keys]), integers([key[1] for key in keys])),
    )
    content: dict[MovementKey, tuple[object, ...]] = {}
    async for book, transfer_id, kind, code, reference, amount, asset, pending_id, debit, credit in cursor:
        content[book, transfer_id] = (
            (RecordKind(kind), code, reference, int(amount), asset, debit, credit)
            if pending_id is None
            else (RecordKind(kind), code, reference, pending_id)
        )
    return content


async def find_holds(tx: Transaction, keys: Collection[MovementKey]) -> dict[MovementKey, Hold]:
    """The pending transfers of these ids. Read again under the lock of their accounts to learn if they ended."""
    cursor = await tx.connection.execute(
        """
        SELECT t.merchant_id, t.transfer_id, t.amount::text, s.currency, s.network, s.scale,
               d.name, d.policy, c.name, c.policy, ended.transfer_id
        FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, transfer_id)
        JOIN ledger_transfers t USING (merchant_id, transfer_id)
        JOIN ledger_assets s ON s.code = t.asset
        JOIN ledger_accounts d ON d.merchant_id = t.merchant_id AND d.account_id = t.debit_id
        JOIN ledger_accounts c ON c.merchant_id = t.merchant_id AND c.account_id = t.credit_id
        LEFT JOIN ledger_transfers ended
               ON ended.merchant_id = t.merchant_id AND ended.pending_id = t.transfer_id
        WHERE t.kind = 'pending'
        """,
        (integers([key[0] for key in keys]), integers([key[1] for key in keys])),
    )
    holds = {}
    async for row in cursor:
        (
            book,
            transfer_id,
            amount,
            currency,
            network,
            scale,
            debit,
            debit_policy,
            credit,
            credit_policy,
            ended,
        ) = row
        asset = Asset(currency, network, scale)
        holds[book, transfer_id] = Hold(
            Account(book, debit, asset, Policy(debit_policy)),
            Account(book, credit, asset, Policy(credit_policy)),
            int(amount),
            ended,
        )
    return holds


async def append(tx: Transaction, batches: Sequence[Batch], states: Iterable[AccountState], time: datetime) -> None:
    """Write transfers, entries, batches and the balances they leave."""
    async with tx.connection.pipeline():
        await _append_transfers(tx, batches, time)
        await _append_entries(tx, [record for batch in batches for record in batch.records], time)
        await _append_batches(tx, batches)
        await _save_balances(tx, [state for state in states if state.changed], time)


async def _append_transfers(tx: Transaction, batches: Sequence[Batch], time: datetime) -> None:
    records = [record for batch in batches for record in batch.records]
    await tx.connection.execute(
        """
        INSERT INTO ledger_transfers
            (merchant_id, transfer_id, batch_id, position, kind, code, reference_id, debit_id, credit_id, asset,
             amount, pending_id, debit_version, credit_version, digest, recorded_at)
        SELECT *, %s FROM unnest(
            %s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::text[], %s::text[], %s::bigint[],
            %s::bigint[], %s::bigint[], %s::text[], %s::numeric[], %s::bigint[], %s::bigint[], %s::bigint[],
            %s::bytea[])
        """,
        (
            time,
            integers([record.merchant_id for record in records]),
            integers([record.transfer_id for record in records]),
            integers([batch.batch_id for batch in batches for _ in batch.records]),
            integers(position for batch in batches for position in range(len(batch.records))),
            texts([record.kind.value for record in records]),
            texts([record.code for record in records]),
            integers([record.reference_id for record in records]),
            integers([record.debit_id for record in records]),
            integers([record.credit_id for record in records]),
            texts([record.asset for record in records]),
            integers([record.amount for record in records]),
            optional_integers([record.pending_id for record in records]),
            integers([record.debit_entry.version for record in records]),
            optional_integers([record.credit_entry.version if record.credit_entry else None for record in records]),
            hexadecimals([digest for batch in batches for digest in batch.digests]),
        ),
    )


async def _append_entries(tx: Transaction, records: Sequence[TransferRecord], time: datetime) -> None:
    pairs = [
        (record.transfer_id, entry)
        for record in records
        for entry in (record.debit_entry, record.credit_entry)
        if entry is not None
    ]
    await tx.connection.execute(
        """
        INSERT INTO ledger_entries
            (merchant_id, account_id, version, transfer_id, posted_before, posted_after, pending_before,
             pending_after, recorded_at)
        SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[],
                                 %s::numeric[], %s::numeric[], %s::numeric[])
        """,
        (
            time,
            integers([entry.merchant_id for _, entry in pairs]),
            integers([entry.account_id for _, entry in pairs]),
            integers([entry.version for _, entry in pairs]),
            integers([transfer_id for transfer_id, _ in pairs]),
            integers([entry.posted_before for _, entry in pairs]),
            integers([entry.posted_after for _, entry in pairs]),
            integers([entry.pending_before for _, entry in pairs]),
            integers([entry.pending_after for _, entry in pairs]),
        ),
    )


async def _append_batches(tx: Transaction, batches: Sequence[Batch]) -> None:
    await tx.connection.execute(
        """
        WITH added AS (
            INSERT INTO ledger_batches (merchant_id, batch_id, transfers, digest)
            SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::integer[], %s::bytea[])
            RETURNING merchant_id, batch_id
        )
        INSERT INTO ledger_unsealed SELECT * FROM added
        """,
        (
            integers([batch.merchant_id for batch in batches]),
            integers([batch.batch_id for batch in batches]),
            integers([len(batch.records) for batch in batches]),
            [batch.digest for batch in batches],
        ),
    )


async def _save_balances(tx: Transaction, states: Sequence[AccountState], time: datetime) -> None:
    await tx.connection.execute(
        """
        UPDATE ledger_accounts a
        SET posted = g.posted, pending = g.pending, version = g.version, recorded_at = %s
        FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[], %s::bigint[])
             g(merchant_id, account_id, posted, pending, version)
        WHERE a.merchant_id = g.merchant_id AND a.account_id = g.account_id
        """,
        (
            time,
            integers([state.account.merchant_id for state in states]),
            integers([state.account_id for state in states]),
            integers([state.posted for state in states]),
            integers([state.pending for state in states]),
            integers([state.version for state in states]),
        ),
    )


async def balances(tx: Transaction, accounts: Sequence[Account], at: datetime | None) -> list[Balance]:
    """Balances of accounts in the order given, now or as of a time; zero for one that does not exist (yet)."""
    then = """
        SELECT e.posted_after::text, e.pending_after::text FROM ledger_entries e
        WHERE e.merchant_id = a.merchant_id AND e.account_id = a.account_id AND e.recorded_at <= %(at)s
        ORDER BY e.recorded_at DESC, e.version DESC LIMIT 1"""
    cursor = await tx.connection.execute(
        f"""
        SELECT g.place, b.posted, b.pending
        FROM unnest(%(books)s::bigint[], %(names)s::text[], %(assets)s::text[])
             WITH ORDINALITY g(merchant_id, name, asset, place)
        JOIN ledger_accounts a USING (merchant_id, name, asset)
        CROSS JOIN LATERAL ({"SELECT a.posted::text, a.pending::text" if at is None else then}) b(posted, pending)
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


async def take_unsealed(tx: Transaction, limit: int) -> list[tuple[int, int, bytes]]:
    """Take up to `limit` (book, batch id, digest) from the queue; leaves books that another process is sealing."""
    cursor = await tx.connection.execute(
        """
        WITH taken AS (
            DELETE FROM ledger_unsealed u
            USING (
                SELECT q.merchant_id, q.batch_id
                FROM (SELECT merchant_id, batch_id FROM ledger_unsealed ORDER BY merchant_id, batch_id LIMIT %s) q
                WHERE pg_try_advisory_xact_lock(hashtextextended('ledger.seal', q.merchant_id))
            ) due
            WHERE u.merchant_id = due.merchant_id AND u.batch_id = due.batch_id
            RETURNING u.merchant_id, u.batch_id
        )
        SELECT t.merchant_id, t.batch_id, b.digest FROM taken t JOIN ledger_batches b USING (merchant_id, batch_id)
        ORDER BY t.merchant_id, t.batch_id
        """,
        (limit,),
    )
    return [(book, batch_id, bytes(digest)) for book, batch_id, digest in await cursor.fetchall()]


async def last_seals(tx: Transaction, books: Collection[int]) -> dict[int, tuple[int, bytes]]:
    """Number and hash of the newest seal of each book that has one."""
    cursor = await tx.connection.execute(
        """
        SELECT g.merchant_id, s.number, s.hash FROM unnest(%s::bigint[]) g(merchant_id)
        CROSS JOIN LATERAL (SELECT number, hash FROM ledger_seals s WHERE s.merchant_id = g.merchant_id
                            ORDER BY number DESC LIMIT 1) s
        """,
        (integers(books),),
    )
    return {book: (number, bytes(hash_)) for book, number, hash_ in await cursor.fetchall()}


async def append_seals(tx: Transaction, seals: Sequence[Seal]) -> None:
    """Write seals."""
    await tx.connection.execute(
        """
        INSERT INTO ledger_seals (merchant_id, number, batch_id, hash)
        SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[])
        """,
        (
            integers([seal.merchant_id for seal in seals]),
            integers([seal.number for seal in seals]),
            integers([seal.batch_id for seal in seals]),
            [seal.hash for seal in seals],
        ),
    )


async def journal(tx: Transaction) -> AsyncIterator[JournalRow]:
    """The whole journal by book, batch and position, streamed."""
    query = """
        SELECT b.merchant_id, b.batch_id, b.transfers, b.digest,
               t.transfer_id, t.kind, t.code, t.reference_id, t.debit_id, t.credit_id, t.asset, t.amount::text,
               t.pending_id, t.position, t.recorded_at, t.digest,
               d.version, d.posted_before::text, d.posted_after::text, d.pending_before::text, d.pending_after::text,
               c.version, c.posted_before::text, c.posted_after::text, c.pending_before::text, c.pending_after::text
        FROM ledger_batches b
        LEFT JOIN ledger_transfers t USING (merchant_id, batch_id)
        LEFT JOIN ledger_entries d ON d.merchant_id = t.merchant_id AND d.account_id = t.debit_id
                                  AND d.version = t.debit_version AND d.transfer_id = t.transfer_id
        LEFT JOIN ledger_entries c ON c.merchant_id = t.merchant_id AND c.account_id = t.credit_id
                                  AND c.version = t.credit_version AND c.transfer_id = t.transfer_id
        ORDER BY b.merchant_id, b.batch_id, t.position
    """
    async for row in _stream(tx, "journal", query):
        book, batch_id, transfers, batch_digest, transfer_id = row[:5]
        if transfer_id is None:
            yield JournalRow(book, batch_id, transfers, bytes(batch_digest), None, 0, 0, b"")
            continue
        kind, code, reference_id, debit_id, credit_id, asset, amount, pending_id, position, time, digest = row[5:16]
        record = TransferRecord(
            book, transfer_id, RecordKind(kind), code, reference_id, debit_id, credit_id, asset, int(amount),
            pending_id, _entry(book, debit_id, row[16:21]) or _no_entry(book, debit_id),
            _entry(book, credit_id, row[21:26]),
        )  # fmt: skip
        yield JournalRow(
            book,
            batch_id,
            transfers,
            bytes(batch_digest),
            record,
            position,
            to_microseconds(time),
            bytes(digest),
        )


def _entry(book: int, account_id: int, values: Sequence[Any]) -> Entry | None:
    version, *amounts = values
    return None if version is None else Entry(book, account_id, version, *map(int, amounts))


def _no_entry(book: int, account_id: int) -> Entry:
    """What stands in for a debit entry that is gone: no true entry has version 0."""
    return Entry(book, account_id, 0, 0, 0, 0, 0)


async def seals(tx: Transaction) -> AsyncIterator[tuple[int, int, int, bytes, bytes | None]]:
    """Book, number, batch id, hash and the batch's digest of every seal, by book and number, streamed."""
    query = """
        SELECT s.merchant_id, s.number, s.batch_id, s.hash, b.digest
        FROM ledger_seals s LEFT JOIN ledger_batches b USING (merchant_id, batch_id)
        ORDER BY s.merchant_id, s.number
    """
    async for book, number, batch_id, link, digest in _stream(tx, "seals", query):
        yield book, number, batch_id, bytes(link), None if digest is None else bytes(digest)


async def find_unsound_rows(tx: Transaction) -> AsyncIterator[Finding]:
    """The first bad row of every rule that the books must keep among themselves."""
    for what, query in _SOUNDNESS.items():
        cursor = await tx.connection.execute(query)
        row = await cursor.fetchone()
        if row is not None:
            yield Finding(what, row[0])


_SOUNDNESS: dict[str, LiteralString] = {
    "book does not sum to zero": """
        SELECT format('book %s, asset %s, sum %s', merchant_id, asset, sum(posted)) FROM ledger_accounts
        GROUP BY merchant_id, asset HAVING sum(posted) <> 0 ORDER BY merchant_id, asset LIMIT 1
    """,
    "balance differs from the last entry": """
        SELECT format('book %s, account %s', a.merchant_id, a.name) FROM ledger_accounts a
        LEFT JOIN ledger_entries e
               ON e.merchant_id = a.merchant_id AND e.account_id = a.account_id AND e.version = a.version
        WHERE (a.posted, a.pending) IS DISTINCT FROM (coalesce(e.posted_after, 0), coalesce(e.pending_after, 0))
           OR (a.version > 0 AND e.version IS NULL)
        ORDER BY a.merchant_id, a.account_id LIMIT 1
    """,
    "entries do not follow one another": """
        SELECT format('book %s, account id %s, version %s', merchant_id, account_id, version)
        FROM (
            SELECT merchant_id, account_id, version, posted_before, pending_before,
                   lag(version, 1, 0::bigint) OVER w AS version_lag,
                   lag(posted_after, 1, 0::numeric) OVER w AS posted_lag,
                   lag(pending_after, 1, 0::numeric) OVER w AS pending_lag
            FROM ledger_entries WINDOW w AS (PARTITION BY merchant_id, account_id ORDER BY version)
        ) e
        WHERE version <> version_lag + 1 OR posted_before <> posted_lag OR pending_before <> pending_lag
        ORDER BY merchant_id, account_id, version LIMIT 1
    """,
    "holds differ from the open pending transfers": """
        SELECT format('book %s, account %s', a.merchant_id, a.name) FROM ledger_accounts a
        LEFT JOIN (
            SELECT t.merchant_id, t.debit_id, sum(t.amount) AS held FROM ledger_transfers t
            WHERE t.kind = 'pending' AND NOT EXISTS (
                SELECT FROM ledger_transfers r WHERE r.merchant_id = t.merchant_id AND r.pending_id = t.transfer_id)
            GROUP BY t.merchant_id, t.debit_id
        ) h ON h.merchant_id = a.merchant_id AND h.debit_id = a.account_id
        WHERE a.pending <> coalesce(h.held, 0) ORDER BY a.merchant_id, a.account_id LIMIT 1
    """,
    "entries and transfers differ in number": """
        SELECT format('%s entries, %s expected', e.found, t.expected)
        FROM (SELECT count(*) AS found FROM ledger_entries) e,
             (SELECT count(*) + count(credit_version) AS expected FROM ledger_transfers) t
        WHERE e.found <> t.expected
    """,
    "transfer stands in no batch": """
        SELECT format('book %s, transfer %s', t.merchant_id, t.transfer_id) FROM ledger_transfers t
        LEFT JOIN ledger_batches b USING (merchant_id, batch_id) WHERE b.batch_id IS NULL
        ORDER BY t.merchant_id, t.transfer_id LIMIT 1
    """,
    "batch is neither sealed nor waiting for its seal": """
        SELECT format('book %s, batch %s', b.merchant_id, b.batch_id) FROM ledger_batches b
        LEFT JOIN ledger_seals s USING (merchant_id, batch_id)
        LEFT JOIN ledger_unsealed u USING (merchant_id, batch_id)
        WHERE s.batch_id IS NULL AND u.batch_id IS NULL ORDER BY b.merchant_id, b.batch_id LIMIT 1
    """,
}


async def count_rows(tx: Transaction) -> tuple[int, int, int, int, int]:
    """How many accounts, transfers, entries, seals and unsealed batches there are."""
    cursor = await tx.connection.execute(
        """
        SELECT (SELECT count(*) FROM ledger_accounts), (SELECT count(*) FROM ledger_transfers),
               (SELECT count(*) FROM ledger_entries), (SELECT count(*) FROM ledger_seals),
               (SELECT count(*) FROM ledger_unsealed)
        """
    )
    (row,) = await cursor.fetchall()
    accounts, transfers, entries, sealed, unsealed = row
    return accounts, transfers, entries, sealed, unsealed


async def _stream(tx: Transaction, name: str, query: LiteralString) -> AsyncIterator[tuple[Any, ...]]:
    """Rows through a server-side cursor: memory stays flat however many there are."""
    async with tx.connection.cursor(name=name) as cursor:
        cursor.itersize = 5_000
        await cursor.execute(query)
        async for row in cursor:
            yield row
