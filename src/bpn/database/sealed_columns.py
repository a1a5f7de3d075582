"""Columns that hold sealed bytes: where they are, what each is sealed for, and sealing them anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from psycopg import sql

from bpn.database.pool import Transaction
from bpn.kernel.encryption import Cipher

MASTER_KEY_CHANGED = "bpn_master_key"
"""The notice that tells every process to read the master keys anew."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed bytes.

    Attributes:
        table: whose it is.
        key: the table's primary key.
        column: its name; NULL or empty where there is nothing to seal.
        place: what it is sealed for, with the row's columns in braces: `webhook_endpoint/{endpoint_id}`.
    """

    table: str
    key: tuple[str, ...]
    column: str
    place: str

    @property
    def place_columns(self) -> tuple[str, ...]:
        """The columns that the place is made of."""
        return tuple(dict.fromkeys(name for _, name, _, _ in Formatter().parse(self.place) if name))


@dataclass(frozen=True, slots=True)
class Resealed:
    """What one step did: how many rows, and the last row's key, None when the column is through."""

    rows: int
    last: tuple[Any, ...] | None


async def reseal(
    tx: Transaction, cipher: Cipher, column: SealedColumn, after: tuple[Any, ...] | None, limit: int
) -> Resealed:
    """Seal rows of a column with the newest key, those that are not yet, in the order of their keys.

    A row that changes meanwhile is left: whoever changed it has sealed it, and the next pass sees with which key.
    """
    keys = sql.SQL(", ").join(map(sql.Identifier, column.key))
    names = [*column.key, *column.place_columns]
    beyond: sql.Composable = sql.SQL("true")
    if after is not None:
        beyond = sql.SQL("({}) > ({})").format(keys, sql.SQL(", ").join([sql.Placeholder()] * len(column.key)))
    cursor = await tx.connection.execute(
        sql.SQL(
            "SELECT {names}, {column} FROM {table} WHERE {beyond} AND octet_length({column}) > 0"
            " AND substr({column}, 1, %s) <> %s ORDER BY {keys} LIMIT %s"
        ).format(
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            column=sql.Identifier(column.column),
            table=sql.Identifier(column.table),
            beyond=beyond,
            keys=keys,
        ),
        (*(after or ()), len(cipher.header), cipher.header, limit),
    )
    rows = await cursor.fetchall()
    await _write(tx, column, [_changed(cipher, column, row) for row in rows])
    last = tuple(rows[-1][: len(column.key)]) if len(rows) == limit else None
    return Resealed(len(rows), last)


def _changed(cipher: Cipher, column: SealedColumn, row: Sequence[Any]) -> tuple[Any, ...]:
    place = column.place.format(**dict(zip(column.place_columns, row[len(column.key) : -1], strict=True)))
    return (cipher.seal(cipher.open(row[-1], place), place), *row[: len(column.key)], row[-1])


async def _write(tx: Transaction, column: SealedColumn, changes: Sequence[tuple[Any, ...]]) -> None:
    if not changes:
        return
    same = sql.SQL(" AND ").join(
        sql.SQL("{} = %s").format(sql.Identifier(name)) for name in (*column.key, column.column)
    )
    statement = sql.SQL("UPDATE {} SET {} = %s WHERE {}").format(
        sql.Identifier(column.table), sql.Identifier(column.column), same
    )
    async with tx.connection.cursor() as cursor:
        await cursor.executemany(statement, changes)


async def notify_master_key_changed(tx: Transaction) -> None:
    """Tell every process, at commit."""
    await tx.connection.execute("SELECT pg_notify(%s, '')", (MASTER_KEY_CHANGED,))
