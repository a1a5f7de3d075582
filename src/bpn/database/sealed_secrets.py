"""Secrets of the house, such as the wallets' seed: sealed under the master key, one row each."""

from __future__ import annotations

from collections.abc import Callable

from bpn.database.pool import Transaction
from bpn.kernel.encryption import Cipher


async def find_or_create(tx: Transaction, cipher: Cipher, name: str, make: Callable[[], bytes]) -> bytes:
    """The secret of a name; made now, once for all processes, if there is none."""
    secret = await find(tx, cipher, name)
    if secret is None:
        await tx.connection.execute(
            "INSERT INTO sealed_secrets (name, sealed) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (name, cipher.seal(make(), _place(name))),
        )
        secret = await find(tx, cipher, name)
    if secret is None:
        raise LookupError(name)
    return secret


async def find(tx: Transaction, cipher: Cipher, name: str) -> bytes | None:
    """The secret of a name, or None."""
    cursor = await tx.connection.execute("SELECT sealed FROM sealed_secrets WHERE name = %s", (name,))
    row = await cursor.fetchone()
    return None if row is None else cipher.open(row[0], _place(name))


def _place(name: str) -> str:
    return f"sealed_secrets/{name}"
