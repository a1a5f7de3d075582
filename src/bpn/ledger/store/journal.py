"""The journal: what was posted, and posting. Every statement is set-wise: a batch of one is a batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncCursor

from bpn.database.pool import Transaction
from bpn.database.rows import hexadecimals, integers, optional_integers, texts
from bpn.kernel.assets import Asset
from bpn.ledger.model import (
    Account,
    AccountState,
    Batch,
    Hold,
    MovementKey,
    Policy,
    RecordKind,
    TransferRecord,
)


async def ask_content(tx: Transaction, keys: Collection[MovementKey]) -> AsyncCursor[Any]:
    """Send the question what stands in the journal under these ids; `read_content` awaits the answer."""
    return await tx.connection.execute(
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


async def read_content(asked: AsyncCursor[Any]) -> dict[MovementKey, tuple[object, ...]]:
    """The answer, as `rules.movement_content` writes it."""
    content: dict[MovementKey, tuple[object, ...]] = {}
    for book, transfer_id, kind, code, reference, amount, asset, pending_id, debit, credit in await asked.fetchall():
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
    async with tx.together():
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
