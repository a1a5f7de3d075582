"""SQL of what a bank told and nobody could place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpn.chapters.accounts.model import BankException
from bpn.database.pool import Transaction
from bpn.database.rows import hexadecimals, integers, texts
from bpn.kernel.encryption import Cipher

_COLUMNS = "merchant_id, exception_id, source, rail_reference, reason, sealed_entry, created_at"


def _place(exception_id: int) -> str:
    return f"bank_exceptions/{exception_id}"


async def insert(tx: Transaction, cipher: Cipher, exceptions: Sequence[BankException]) -> None:
    """Add lines to the list; one that stands there already is not added again."""
    await tx.connection.execute(
        """
        INSERT INTO bank_exceptions (status, created_at, merchant_id, exception_id, source, rail_reference, reason,
            sealed_entry)
        SELECT 'OPEN', %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bytea[])
        ON CONFLICT (merchant_id, source, rail_reference, reason) DO NOTHING
        """,
        (
            tx.now,
            integers([one.merchant_id for one in exceptions]),
            integers([one.exception_id for one in exceptions]),
            texts([one.source for one in exceptions]),
            texts([one.rail_reference for one in exceptions]),
            texts([one.reason for one in exceptions]),
            hexadecimals([cipher.seal(one.detail.encode(), _place(one.exception_id)) for one in exceptions]),
        ),
    )


async def open_ones(tx: Transaction, cipher: Cipher, limit: int = 500) -> list[BankException]:
    """What waits for the operator, oldest first."""
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM bank_exceptions WHERE status = 'OPEN' ORDER BY exception_id LIMIT %s", (limit,)
    )
    return [_exception(cipher, row) for row in await cursor.fetchall()]


async def lock_of_reason(tx: Transaction, cipher: Cipher, source: str, reason: str, limit: int) -> list[BankException]:
    """What waits for one reason, held; lines that another worker holds are left to it."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM bank_exceptions
        WHERE status = 'OPEN' AND source = %s AND reason = %s ORDER BY exception_id LIMIT %s FOR UPDATE SKIP LOCKED
        """,
        (source, reason, limit),
    )
    return [_exception(cipher, row) for row in await cursor.fetchall()]


async def lock(tx: Transaction, cipher: Cipher, exception_id: int) -> BankException | None:
    """A line that waits, held until this transaction ends."""
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM bank_exceptions WHERE status = 'OPEN' AND exception_id = %s FOR UPDATE",
        (exception_id,),
    )
    row = await cursor.fetchone()
    return None if row is None else _exception(cipher, row)


async def close(tx: Transaction, exception: BankException) -> None:
    """The matter is dealt with; the line stays."""
    await tx.connection.execute(
        "UPDATE bank_exceptions SET status = 'CLOSED' WHERE merchant_id = %s AND exception_id = %s",
        (exception.merchant_id, exception.exception_id),
    )


def _exception(cipher: Cipher, row: Sequence[Any]) -> BankException:
    return BankException(
        row[0], row[1], row[2], row[3], row[4], cipher.open(bytes(row[5]), _place(row[1])).decode(), row[6]
    )


async def lock_of_references(
    tx: Transaction, cipher: Cipher, source: str, reason: str, references: Sequence[str]
) -> list[BankException]:
    """What waits for one reason about these references, of no known merchant, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM bank_exceptions
        WHERE merchant_id = 0 AND source = %s AND rail_reference = ANY(%s) AND reason = %s AND status = 'OPEN'
        ORDER BY exception_id FOR UPDATE
        """,
        (source, list(references), reason),
    )
    return [_exception(cipher, row) for row in await cursor.fetchall()]
