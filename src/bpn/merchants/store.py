"""All SQL of `merchants` and `api_keys`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from psycopg.rows import class_row

from bpn.database.pool import Transaction
from bpn.database.rows import integers
from bpn.kernel.encryption import Cipher
from bpn.merchants.model import ApiKey, Credential, Merchant, NewApiKey, Permission

CREDENTIALS_CHANGED = "bpn_credentials"
"""The notice that tells every process to forget what it knows of keys."""


async def insert_merchant(tx: Transaction, merchant: Merchant) -> None:
    """Add a merchant."""
    await tx.connection.execute(
        "INSERT INTO merchants (merchant_id, name, suspended, created_at) VALUES (%s, %s, %s, %s)",
        (merchant.merchant_id, merchant.name, merchant.suspended, merchant.created_at),
    )


async def list_merchants(tx: Transaction) -> list[Merchant]:
    """All merchants, newest first."""
    async with tx.connection.cursor(row_factory=class_row(Merchant)) as cursor:
        await cursor.execute("SELECT merchant_id, name, suspended, created_at FROM merchants ORDER BY merchant_id DESC")
        return await cursor.fetchall()


async def lock_merchant(tx: Transaction, merchant_id: int) -> Merchant | None:
    """A merchant, locked against other changes of it."""
    async with tx.connection.cursor(row_factory=class_row(Merchant)) as cursor:
        await cursor.execute(
            "SELECT merchant_id, name, suspended, created_at FROM merchants WHERE merchant_id = %s FOR UPDATE",
            (merchant_id,),
        )
        return await cursor.fetchone()


async def set_suspended(tx: Transaction, merchant_id: int, *, suspended: bool) -> None:
    """Suspend a merchant or let it go on."""
    await tx.connection.execute("UPDATE merchants SET suspended = %s WHERE merchant_id = %s", (suspended, merchant_id))


async def insert_key(
    tx: Transaction, cipher: Cipher, merchant_id: int, key: NewApiKey, allowed_ips: Sequence[str]
) -> None:
    """Add a key; its secret is sealed."""
    await tx.connection.execute(
        "INSERT INTO directory (kind, value, merchant_id) VALUES ('api_key', %s, %s)", (key.api_key, merchant_id)
    )
    await tx.connection.execute(
        """
        INSERT INTO api_keys (merchant_id, key_id, api_key, sealed_secret, permissions, allowed_ips, created_at,
                              ed25519_public_key)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            merchant_id,
            key.key_id,
            key.api_key,
            cipher.seal(key.secret.encode(), _secret_place(key.api_key)),
            list(key.permissions),
            list(allowed_ips),
            tx.now,
            key.public_key,
        ),
    )


async def revoke_key(tx: Transaction, api_key: str) -> int | None:
    """Revoke a living key; its merchant, or None when there is no such key."""
    cursor = await tx.connection.execute(
        """
        UPDATE api_keys k SET revoked_at = %s FROM directory d
        WHERE d.kind = 'api_key' AND d.value = %s AND k.merchant_id = d.merchant_id AND k.api_key = d.value
          AND k.revoked_at IS NULL
        RETURNING k.merchant_id
        """,
        (tx.now, api_key),
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def list_keys(tx: Transaction, merchant_id: int) -> list[ApiKey]:
    """All keys of a merchant, oldest first."""
    cursor = await tx.connection.execute(
        """
        SELECT key_id, api_key, permissions, allowed_ips, created_at, last_used_at, revoked_at,
               ed25519_public_key IS NOT NULL, previous_until
        FROM api_keys WHERE merchant_id = %s ORDER BY key_id
        """,
        (merchant_id,),
    )
    return [
        ApiKey(key_id, api_key, tuple(Permission(p) for p in permissions), tuple(allowed_ips), *rest)
        for key_id, api_key, permissions, allowed_ips, *rest in await cursor.fetchall()
    ]


_CREDENTIAL = """
    SELECT m.merchant_id, m.name, m.suspended, m.created_at,
           k.key_id, k.api_key, k.sealed_secret, k.permissions, k.allowed_ips, k.sealed_previous, k.previous_until,
           k.ed25519_public_key
    FROM api_keys k JOIN merchants m USING (merchant_id)
"""


async def find_credential(tx: Transaction, cipher: Cipher, api_key: str) -> Credential | None:
    """The living key of this name."""
    cursor = await tx.connection.execute(
        f"""
        {_CREDENTIAL} JOIN directory d USING (merchant_id)
        WHERE d.kind = 'api_key' AND d.value = %s AND k.api_key = d.value AND k.revoked_at IS NULL
        """,
        (api_key,),
    )
    row = await cursor.fetchone()
    return None if row is None else _credential(cipher, row)


async def lock_key(tx: Transaction, cipher: Cipher, api_key: str) -> Credential | None:
    """As `find_credential`, held against other changes."""
    cursor = await tx.connection.execute(
        f"""
        {_CREDENTIAL} JOIN directory d USING (merchant_id)
        WHERE d.kind = 'api_key' AND d.value = %s AND k.api_key = d.value AND k.revoked_at IS NULL FOR UPDATE OF k
        """,
        (api_key,),
    )
    row = await cursor.fetchone()
    return None if row is None else _credential(cipher, row)


async def set_secret(
    tx: Transaction, cipher: Cipher, before: Credential, secret: str, previous_until: datetime
) -> None:
    """Give a key a secret; the one it had becomes its previous one."""
    place = _secret_place(before.api_key)
    await tx.connection.execute(
        """
        UPDATE api_keys SET sealed_secret = %s, sealed_previous = %s, previous_until = %s
        WHERE merchant_id = %s AND key_id = %s
        """,
        (
            cipher.seal(secret.encode(), place),
            cipher.seal(before.secret, place),
            previous_until,
            before.merchant.merchant_id,
            before.key_id,
        ),
    )


async def oldest_credentials(
    tx: Transaction, cipher: Cipher, merchant_ids: Collection[int]
) -> Mapping[int, Credential]:
    """The oldest living key of each merchant: it signs what we send them unless they chose another."""
    cursor = await tx.connection.execute(
        f"""
        {_CREDENTIAL} WHERE k.merchant_id = ANY(%s::bigint[]) AND k.revoked_at IS NULL ORDER BY k.key_id DESC
        """,
        (integers(merchant_ids),),
    )
    return {row[0]: _credential(cipher, row) for row in await cursor.fetchall()}


def _credential(cipher: Cipher, row: tuple[Any, ...]) -> Credential:
    merchant_id, name, suspended, created_at, key_id, api_key, sealed, permissions, allowed_ips, *rest = row
    previous, previous_until, public_key = rest
    return Credential(
        Merchant(merchant_id, name, suspended, created_at),
        key_id,
        api_key,
        cipher.open(sealed, _secret_place(api_key)),
        frozenset(Permission(permission) for permission in permissions),
        tuple(ip_network(network) for network in allowed_ips),
        None if previous is None else cipher.open(previous, _secret_place(api_key)),
        previous_until,
        public_key,
    )


def _secret_place(api_key: str) -> str:
    return f"api_key/{api_key}"


async def note_uses(tx: Transaction, uses: Mapping[tuple[int, int], datetime]) -> None:
    """Remember when keys were last used; `uses` by merchant and key id."""
    await tx.connection.execute(
        """
        UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, g.used_at)
        FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) g(merchant_id, key_id, used_at)
        WHERE k.merchant_id = g.merchant_id AND k.key_id = g.key_id
        """,
        (integers([key[0] for key in uses]), integers([key[1] for key in uses]), list(uses.values())),
    )


async def notify_credentials_changed(tx: Transaction) -> None:
    """Tell every process, at commit."""
    await tx.connection.execute("SELECT pg_notify(%s, '')", (CREDENTIALS_CHANGED,))
