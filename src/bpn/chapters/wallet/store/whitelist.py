"""SQL of the withdrawal whitelist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from bpn.chapters.wallet.model import Beneficiary, WhitelistEntry, WhitelistStatus
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.encryption import Cipher

_COLUMNS = """
    merchant_id, whitelist_id, currency, network, address, tag, alias, address_type, sealed_beneficiary,
    CASE WHEN deleted_at IS NULL THEN status ELSE 'DELETED' END, fail_reason, available_at, created_at
"""
_BENEFICIARY = TypeAdapter(Beneficiary)


async def insert(tx: DatabaseTransaction, cipher: Cipher, entry: WhitelistEntry) -> bool:
    """Add an entry; false when the address is on the list already."""
    cursor = await tx.connection.execute(
        """
        INSERT INTO wallet_whitelist (merchant_id, whitelist_id, currency, network, address, tag, alias, address_type,
                                      sealed_beneficiary, status, fail_reason, available_at, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        (
            entry.merchant_id,
            entry.whitelist_id,
            entry.currency,
            entry.network,
            entry.address,
            entry.tag,
            entry.alias,
            entry.address_type,
            cipher.seal(_BENEFICIARY.dump_json(entry.beneficiary), _place(entry.whitelist_id)),
            entry.status,
            entry.fail_reason,
            entry.available_at,
            entry.created_at,
        ),
    )
    return cursor.rowcount == 1


async def save(tx: DatabaseTransaction, entry: WhitelistEntry) -> None:
    """Write what may change of an entry; the caller holds its row."""
    deleted_at = tx.now if entry.status is WhitelistStatus.DELETED else None
    await tx.connection.execute(
        """
        UPDATE wallet_whitelist
        SET status = CASE WHEN %s::timestamptz IS NULL THEN %s ELSE status END, deleted_at = %s, fail_reason = %s,
            available_at = %s
        WHERE merchant_id = %s AND whitelist_id = %s
        """,
        (
            deleted_at,
            entry.status,
            deleted_at,
            entry.fail_reason,
            entry.available_at,
            entry.merchant_id,
            entry.whitelist_id,
        ),
    )


async def lock(tx: DatabaseTransaction, cipher: Cipher, merchant_id: int, whitelist_id: int) -> WhitelistEntry | None:
    """An entry that is not deleted, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallet_whitelist
        WHERE merchant_id = %s AND whitelist_id = %s AND deleted_at IS NULL FOR UPDATE
        """,
        (merchant_id, whitelist_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _entry(cipher, row)


async def find_by_address(
    tx: DatabaseTransaction, cipher: Cipher, merchant_id: int, network: str, currency: str, address: str
) -> WhitelistEntry | None:
    """The entry of an address that is neither deleted nor rejected; held against deletion."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallet_whitelist
        WHERE merchant_id = %s AND network = %s AND currency = %s AND address = %s AND deleted_at IS NULL
          AND status <> 'REJECTED'
        FOR SHARE
        """,
        (merchant_id, network, currency, address),
    )
    row = await cursor.fetchone()
    return None if row is None else _entry(cipher, row)


async def pending(tx: DatabaseTransaction, cipher: Cipher, limit: int = 500) -> list[WhitelistEntry]:
    """Entries of all merchants that wait for a decision, oldest first."""
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM wallet_whitelist WHERE status = 'PENDING' ORDER BY whitelist_id LIMIT %s", (limit,)
    )
    return [_entry(cipher, row) for row in await cursor.fetchall()]


async def unscreened(tx: DatabaseTransaction, cipher: Cipher, network: str, limit: int = 100) -> list[WhitelistEntry]:
    """Entries of a network that nobody has looked up, oldest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallet_whitelist
        WHERE network = %s AND screened_at IS NULL AND deleted_at IS NULL AND status <> 'REJECTED'
        ORDER BY whitelist_id LIMIT %s
        """,
        (network, limit),
    )
    return [_entry(cipher, row) for row in await cursor.fetchall()]


async def set_screened(tx: DatabaseTransaction, entry: WhitelistEntry) -> None:
    """Note that an entry was looked up; the caller holds its row."""
    await tx.connection.execute(
        "UPDATE wallet_whitelist SET screened_at = %s WHERE merchant_id = %s AND whitelist_id = %s",
        (tx.now, entry.merchant_id, entry.whitelist_id),
    )


async def page(
    tx: DatabaseTransaction,
    cipher: Cipher,
    merchant_id: int,
    *,
    currency: str | None,
    network: str | None,
    status: str | None,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[WhitelistEntry]]:
    """How many entries match, and a page of them, newest first."""
    condition = "merchant_id = %(merchant_id)s AND deleted_at IS NULL"
    for column, value in (("currency", currency), ("network", network), ("status", status)):
        if value is not None:
            condition += f" AND {column} = %({column})s"
    parameters = {
        "merchant_id": merchant_id,
        "currency": currency,
        "network": network,
        "status": status,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM wallet_whitelist WHERE {condition}", parameters)
    (row,) = await cursor.fetchall()
    keyset = " AND whitelist_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallet_whitelist WHERE {condition}{keyset}
        ORDER BY whitelist_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return row[0], [_entry(cipher, row) for row in await cursor.fetchall()]


def _entry(cipher: Cipher, row: Sequence[Any]) -> WhitelistEntry:
    (
        merchant_id,
        whitelist_id,
        currency,
        network,
        address,
        tag,
        alias,
        address_type,
        sealed,
        status,
        fail_reason,
        available_at,
        created_at,
    ) = row
    return WhitelistEntry(
        merchant_id,
        whitelist_id,
        currency,
        network,
        address,
        tag,
        alias,
        address_type,
        _BENEFICIARY.validate_json(cipher.open(sealed, _place(whitelist_id))),
        WhitelistStatus(status),
        fail_reason,
        available_at,
        created_at,
    )


def _place(whitelist_id: int) -> str:
    return f"wallet_whitelist/{whitelist_id}"
