"""The chain's store: keys and values in one SQLite file, whole blocks at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eth.db.backends.base import BaseDB


class FileDatabase(BaseDB):
    """What the EVM keeps of itself. Used by one thread.

    Everything written inside `block()` is on disk together when it ends, or not at all: after a kill the chain is as
    of its last whole block.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
        self._connection.execute("CREATE TABLE IF NOT EXISTS waiting (hash BLOB PRIMARY KEY, raw BLOB) WITHOUT ROWID")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def block(self) -> Iterator[None]:
        """Write a block whole."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def __getitem__(self, key: bytes) -> bytes:
        row = self._connection.execute("SELECT value FROM entries WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return bytes(row[0])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?)", (key, value))

    def __delitem__(self, key: bytes) -> None:
        if self._connection.execute("DELETE FROM entries WHERE key = ?", (key,)).rowcount == 0:
            raise KeyError(key)

    def _exists(self, key: bytes) -> bool:
        return self._connection.execute("SELECT 1 FROM entries WHERE key = ?", (key,)).fetchone() is not None

    def waiting(self) -> list[bytes]:
        """The transactions that were taken and not mined, as they were sent."""
        return [bytes(raw) for (raw,) in self._connection.execute("SELECT raw FROM waiting")]

    def keep_waiting(self, hash_: bytes, raw: bytes) -> None:
        """Keep a transaction until it is mined."""
        self._connection.execute("INSERT OR REPLACE INTO waiting VALUES (?, ?)", (hash_, raw))

    def forget_waiting(self, hash_: bytes) -> None:
        """A transaction is mined, or will never be."""
        self._connection.execute("DELETE FROM waiting WHERE hash = ?", (hash_,))
