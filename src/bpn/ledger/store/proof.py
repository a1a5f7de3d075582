"""Reading everything, to prove it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, LiteralString

from bpn.database.pool import Transaction
from bpn.kernel.clock import to_microseconds
from bpn.ledger.model import (
    Entry,
    Finding,
    JournalRow,
    RecordKind,
    TransferRecord,
)

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
