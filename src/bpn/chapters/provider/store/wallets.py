"""SQL of sub wallets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpn.chapters.provider.model import Freezer, SubWallet, SubWalletFilter, SubWalletStatus
from bpn.database.pool import Transaction

DIRECTORY = "collection_link"
"""In the directory: whose is this public token."""

_COLUMNS = """
    w.merchant_id, w.wallet_id, w.link_id, w.token, w.request_id, w.partner_user_id, w.account_name, w.status,
    w.frozen_by, w.reason, w.address, w.return_url, w.locale, w.expires_at, w.confirmed_at, w.created_at, w.updated_at
"""


def _wallet(row: Sequence[Any]) -> SubWallet:
    return SubWallet(
        merchant_id=row[0],
        wallet_id=row[1],
        link_id=row[2],
        token=row[3],
        request_id=row[4],
        partner_user_id=row[5],
        account_name=row[6],
        status=SubWalletStatus(row[7]),
        frozen_by=None if row[8] is None else Freezer(row[8]),
        reason=row[9],
        address=row[10],
        return_url=row[11],
        locale=row[12],
        expires_at=row[13],
        confirmed_at=row[14],
        created_at=row[15],
        updated_at=row[16],
    )


async def insert(tx: Transaction, wallet: SubWallet) -> bool:
    """Add a sub wallet, and its public token to the directory; false if the merchant used the request id before."""
    cursor = await tx.connection.execute(
        """
        INSERT INTO collection_wallets (
            merchant_id, wallet_id, link_id, token, request_id, partner_user_id, account_name, status, address,
            return_url, locale, expires_at, created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (merchant_id, request_id) DO NOTHING
        """,
        (
            wallet.merchant_id,
            wallet.wallet_id,
            wallet.link_id,
            wallet.token,
            wallet.request_id,
            wallet.partner_user_id,
            wallet.account_name,
            wallet.status,
            wallet.address,
            wallet.return_url,
            wallet.locale,
            wallet.expires_at,
            wallet.created_at,
            wallet.updated_at,
        ),
    )
    if not cursor.rowcount:
        return False
    await tx.connection.execute(
        "INSERT INTO directory (kind, value, merchant_id) VALUES (%s, %s, %s)",
        (DIRECTORY, wallet.token, wallet.merchant_id),
    )
    return True


async def save(tx: Transaction, wallet: SubWallet) -> None:
    """Write what may change of a sub wallet; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE collection_wallets
        SET status = %s, frozen_by = %s, reason = %s, address = %s, confirmed_at = %s, updated_at = %s
        WHERE merchant_id = %s AND link_id = %s
        """,
        (
            wallet.status,
            wallet.frozen_by,
            wallet.reason,
            wallet.address,
            wallet.confirmed_at,
            wallet.updated_at,
            wallet.merchant_id,
            wallet.link_id,
        ),
    )


async def find(tx: Transaction, merchant_id: int, wallet_id: int) -> SubWallet | None:
    """A sub wallet."""
    return await _one(tx, "w.merchant_id = %s AND w.wallet_id = %s", (merchant_id, wallet_id))


async def lock(tx: Transaction, merchant_id: int, wallet_id: int) -> SubWallet | None:
    """A sub wallet, held until this transaction ends."""
    return await _one(tx, "w.merchant_id = %s AND w.wallet_id = %s FOR UPDATE", (merchant_id, wallet_id))


async def find_by_token(tx: Transaction, token: str) -> SubWallet | None:
    """The sub wallet of a public token."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM directory d
        JOIN collection_wallets w ON w.merchant_id = d.merchant_id AND w.token = d.value
        WHERE d.kind = %s AND d.value = %s
        """,
        (DIRECTORY, token),
    )
    row = await cursor.fetchone()
    return None if row is None else _wallet(row)


async def _one(tx: Transaction, condition: Any, parameters: tuple[object, ...]) -> SubWallet | None:
    cursor = await tx.connection.execute(f"SELECT {_COLUMNS} FROM collection_wallets w WHERE " + condition, parameters)
    row = await cursor.fetchone()
    return None if row is None else _wallet(row)


async def pending(tx: Transaction, limit: int) -> list[SubWallet]:
    """Sub wallets of all merchants that wait for the operator, oldest first."""
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM collection_wallets w WHERE w.status = 'PENDING' ORDER BY w.link_id LIMIT %s", (limit,)
    )
    return [_wallet(row) for row in await cursor.fetchall()]


async def page(
    tx: Transaction, merchant_id: int, filters: SubWalletFilter, *, before: int | None, offset: int, limit: int
) -> tuple[int, list[SubWallet]]:
    """How many sub wallets match, and a page of them, newest first; `before` is a link's id."""
    conditions = ["w.merchant_id = %(merchant_id)s"]
    if filters.partner_user_id is not None:
        conditions.append("w.partner_user_id = %(partner_user_id)s")
    if filters.status is not None:
        conditions.append("w.status = %(status)s")
    where = " AND ".join(conditions)
    parameters = {
        "merchant_id": merchant_id,
        "partner_user_id": filters.partner_user_id,
        "status": filters.status,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM collection_wallets w WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND w.link_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM collection_wallets w WHERE {where}{keyset}
        ORDER BY w.link_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_wallet(row) for row in await cursor.fetchall()]
