"""SQL of wallets and their deposit addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bpn.chapters.wallet.model import Earmark, Owner, Wallet, WalletType
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.database.rows import integers, texts

_COLUMNS = "merchant_id, wallet_id, wallet_type, name, merchant_user_id, address_index, created_at"


async def next_address_index(tx: DatabaseTransaction) -> int:
    """A derivation index that no wallet has."""
    cursor = await tx.connection.execute("SELECT nextval('wallet_address_indexes')")
    (row,) = await cursor.fetchall()
    return int(row[0])


async def insert(tx: DatabaseTransaction, wallet: Wallet) -> bool:
    """Add a wallet; false when its name is taken."""
    cursor = await tx.connection.execute(
        f"INSERT INTO wallets ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            wallet.merchant_id,
            wallet.wallet_id,
            wallet.wallet_type,
            wallet.name,
            wallet.merchant_user_id,
            wallet.address_index,
            wallet.created_at,
        ),
    )
    return cursor.rowcount == 1


async def find_many(tx: DatabaseTransaction, keys: Sequence[tuple[int, int | None]]) -> list[Wallet | None]:
    """Wallets by merchant and id, in order; the primary one where the id is None."""
    columns = ", ".join(f"w.{column}" for column in _COLUMNS.split(", "))
    cursor = await tx.connection.execute(
        f"""
        SELECT g.place, {columns}
        FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY g(merchant_id, wallet_id, place)
        JOIN wallets w ON w.merchant_id = g.merchant_id
            AND CASE WHEN g.wallet_id = 0 THEN w.wallet_type = 'primary' ELSE w.wallet_id = g.wallet_id END
        """,
        (integers([key[0] for key in keys]), integers([key[1] or 0 for key in keys])),
    )
    found: list[Wallet | None] = [None] * len(keys)
    for place, *row in await cursor.fetchall():
        found[place - 1] = _wallet(row)
    return found


async def find(tx: DatabaseTransaction, merchant_id: int, wallet_id: int | None) -> Wallet | None:
    """A wallet of a merchant, the primary one when no id is given."""
    (wallet,) = await find_many(tx, [(merchant_id, wallet_id)])
    return wallet


async def page(
    tx: DatabaseTransaction,
    merchant_id: int,
    *,
    wallet_type: str | None,
    name: str | None,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[Wallet]]:
    """How many wallets match, and a page of them, newest first."""
    condition = "merchant_id = %(merchant_id)s"
    if wallet_type is not None:
        condition += " AND wallet_type = %(wallet_type)s"
    if name is not None:
        condition += " AND name = %(name)s"
    parameters = {
        "merchant_id": merchant_id,
        "wallet_type": wallet_type,
        "name": name,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM wallets WHERE {condition}", parameters)
    (row,) = await cursor.fetchall()
    keyset = " AND address_index < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallets WHERE {condition}{keyset}
        ORDER BY address_index DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return row[0], [_wallet(row) for row in await cursor.fetchall()]


def _wallet(row: Sequence[Any]) -> Wallet:
    merchant_id, wallet_id, wallet_type, name, merchant_user_id, address_index, created_at = row
    return Wallet(merchant_id, wallet_id, WalletType(wallet_type), name, merchant_user_id, address_index, created_at)


async def ensure_address(
    tx: DatabaseTransaction, wallet: Wallet, network: str, currency: str, address: str
) -> tuple[str, datetime]:
    """The address of a triple and when it was first asked for; `address` if this is the first time."""
    await tx.connection.execute(
        "INSERT INTO directory (kind, value, merchant_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (f"address:{network}", address, wallet.merchant_id),
    )
    await tx.connection.execute(
        """
        INSERT INTO wallet_addresses (merchant_id, wallet_id, network, currency, address, created_at)
        VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        (wallet.merchant_id, wallet.wallet_id, network, currency, address, tx.now),
    )
    cursor = await tx.connection.execute(
        """
        SELECT address, created_at FROM wallet_addresses
        WHERE merchant_id = %s AND wallet_id = %s AND network = %s AND currency = %s
        """,
        (wallet.merchant_id, wallet.wallet_id, network, currency),
    )
    (row,) = await cursor.fetchall()
    return row[0], row[1]


async def find_address(
    tx: DatabaseTransaction, wallet: Wallet, network: str, currency: str
) -> tuple[str, datetime] | None:
    """The address of a triple and when it was first asked for."""
    cursor = await tx.connection.execute(
        """
        SELECT address, created_at FROM wallet_addresses
        WHERE merchant_id = %s AND wallet_id = %s AND network = %s AND currency = %s
        """,
        (wallet.merchant_id, wallet.wallet_id, network, currency),
    )
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1])


async def find_owners(tx: DatabaseTransaction, network: str, addresses: Sequence[str]) -> dict[str, Owner]:
    """By address, whose deposits to it are."""
    cursor = await tx.connection.execute(
        """
        SELECT DISTINCT d.value, d.merchant_id, a.wallet_id, w.merchant_user_id, a.kind, a.subject_id
        FROM unnest(%(addresses)s::text[]) g(value)
        JOIN directory d ON d.kind = %(directory)s AND d.value = g.value
        CROSS JOIN LATERAL (
            SELECT o.wallet_id, NULL AS kind, NULL::bigint AS subject_id FROM wallet_addresses o
            WHERE o.merchant_id = d.merchant_id AND o.network = %(network)s AND o.address = d.value
            UNION ALL
            SELECT m.wallet_id, m.kind, m.subject_id FROM wallet_earmark_addresses o
            JOIN wallet_earmarks m USING (merchant_id, kind, subject_id)
            WHERE o.merchant_id = d.merchant_id AND o.network = %(network)s AND o.address = d.value
        ) a
        JOIN wallets w ON w.merchant_id = d.merchant_id AND w.wallet_id = a.wallet_id
        """,
        {"addresses": texts(addresses), "directory": f"address:{network}", "network": network},
    )
    return {
        address: Owner(merchant, wallet, user, None if kind is None else Earmark(kind, subject))
        for address, merchant, wallet, user, kind, subject in await cursor.fetchall()
    }


async def custody_addresses(tx: DatabaseTransaction, network: str) -> list[str]:
    """Every deposit address of a network."""
    cursor = await tx.connection.execute(
        """
        SELECT address FROM wallet_addresses WHERE network = %(network)s
        UNION SELECT address FROM wallet_earmark_addresses WHERE network = %(network)s
        ORDER BY address
        """,
        {"network": network},
    )
    return [row[0] for row in await cursor.fetchall()]
