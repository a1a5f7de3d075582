"""All SQL of `kyb_sub_users`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bpn.chapters.kyb.model import CustomerType, KybStatus, SubUser
from bpn.chapters.kyb.rules import profile_place
from bpn.database.pool import Transaction
from bpn.kernel.encryption import Cipher

_DIRECTORY = "kyb_sub_user"
_COLUMNS = """
    merchant_id, sub_user_id, partner_user_id, customer_type, status, pending_actions, reject_reasons, version,
    created_at, updated_at, erased_at
"""


async def insert(tx: Transaction, sub_user: SubUser) -> bool:
    """Add a sub user; false when the merchant has one of this partner id."""
    cursor = await tx.connection.execute(
        f"""
        INSERT INTO kyb_sub_users ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (merchant_id, partner_user_id) DO NOTHING
        """,
        (
            sub_user.merchant_id,
            sub_user.sub_user_id,
            sub_user.partner_user_id,
            sub_user.customer_type,
            sub_user.status,
            list(sub_user.pending_actions),
            list(sub_user.reject_reasons),
            sub_user.version,
            sub_user.created_at,
            sub_user.updated_at,
            sub_user.erased_at,
        ),
    )
    if cursor.rowcount == 0:
        return False
    await tx.connection.execute(
        "INSERT INTO directory (kind, value, merchant_id) VALUES (%s, %s, %s)",
        (_DIRECTORY, str(sub_user.sub_user_id), sub_user.merchant_id),
    )
    return True


async def save(tx: Transaction, sub_user: SubUser) -> None:
    """Write what may change of a sub user; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE kyb_sub_users
        SET customer_type = %s, status = %s, pending_actions = %s, reject_reasons = %s, version = %s, updated_at = %s,
            erased_at = %s
        WHERE merchant_id = %s AND sub_user_id = %s
        """,
        (
            sub_user.customer_type,
            sub_user.status,
            list(sub_user.pending_actions),
            list(sub_user.reject_reasons),
            sub_user.version,
            sub_user.updated_at,
            sub_user.erased_at,
            sub_user.merchant_id,
            sub_user.sub_user_id,
        ),
    )


async def set_profile(
    tx: Transaction,
    cipher: Cipher,
    sub_user: SubUser,
    profile: Mapping[str, Any] | None,
    documents: Sequence[tuple[str, int]],
) -> None:
    """Replace the details, sealed, and the documents' kinds and file ids; None wipes them."""
    sealed = None
    if profile is not None:
        place = profile_place(sub_user.merchant_id, sub_user.sub_user_id)
        sealed = cipher.seal(json.dumps(profile, ensure_ascii=False).encode(), place)
    await tx.connection.execute(
        """
        UPDATE kyb_sub_users SET sealed_profile = %s, document_kinds = %s, document_files = %s, note = NULL
        WHERE merchant_id = %s AND sub_user_id = %s
        """,
        (
            sealed,
            [kind for kind, _ in documents],
            [file_id for _, file_id in documents],
            sub_user.merchant_id,
            sub_user.sub_user_id,
        ),
    )


async def set_note(tx: Transaction, sub_user: SubUser, note: str | None) -> None:
    """What screening said."""
    await tx.connection.execute(
        "UPDATE kyb_sub_users SET note = %s WHERE merchant_id = %s AND sub_user_id = %s",
        (note, sub_user.merchant_id, sub_user.sub_user_id),
    )


async def lock_by_partner(tx: Transaction, merchant_id: int, partner_user_id: str) -> SubUser | None:
    """A sub user by the merchant's own id, held."""
    return await _one(
        tx,
        f"SELECT {_COLUMNS} FROM kyb_sub_users WHERE merchant_id = %s AND partner_user_id = %s FOR UPDATE",
        (merchant_id, partner_user_id),
    )


async def lock(tx: Transaction, merchant_id: int, sub_user_id: int) -> SubUser | None:
    """A sub user, held."""
    return await _one(
        tx,
        f"SELECT {_COLUMNS} FROM kyb_sub_users WHERE merchant_id = %s AND sub_user_id = %s FOR UPDATE",
        (merchant_id, sub_user_id),
    )


async def hold(tx: Transaction, merchant_id: int, sub_user_id: int) -> SubUser | None:
    """A sub user whose state stands until this transaction ends."""
    return await _one(
        tx,
        f"SELECT {_COLUMNS} FROM kyb_sub_users WHERE merchant_id = %s AND sub_user_id = %s FOR SHARE",
        (merchant_id, sub_user_id),
    )


async def find(
    tx: Transaction, merchant_id: int, *, sub_user_id: int | None, partner_user_id: str | None
) -> SubUser | None:
    """A sub user by our id or by the merchant's."""
    condition = "sub_user_id = %s" if sub_user_id is not None else "partner_user_id = %s"
    return await _one(
        tx,
        f"SELECT {_COLUMNS} FROM kyb_sub_users WHERE merchant_id = %s AND {condition}",
        (merchant_id, partner_user_id if sub_user_id is None else sub_user_id),
    )


async def owner_of(tx: Transaction, sub_user_id: int) -> int | None:
    """Whose sub user this is."""
    cursor = await tx.connection.execute(
        "SELECT merchant_id FROM directory WHERE kind = %s AND value = %s", (_DIRECTORY, str(sub_user_id))
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def list_waiting(tx: Transaction, status: KybStatus, limit: int) -> list[SubUser]:
    """Sub users of all merchants that are PENDING or REVIEWING, oldest first."""
    waiting = "status = 'PENDING'" if status is KybStatus.PENDING else "status = 'REVIEWING'"
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM kyb_sub_users WHERE {waiting} ORDER BY sub_user_id LIMIT %s", (limit,)
    )
    return [_sub_user(row) for row in await cursor.fetchall()]


async def read_profile(
    tx: Transaction, cipher: Cipher, sub_user: SubUser
) -> tuple[dict[str, Any] | None, list[tuple[str, int]], str | None]:
    """The details, the documents' kinds and file ids, and what screening said."""
    cursor = await tx.connection.execute(
        """
        SELECT sealed_profile, document_kinds, document_files, note FROM kyb_sub_users
        WHERE merchant_id = %s AND sub_user_id = %s
        """,
        (sub_user.merchant_id, sub_user.sub_user_id),
    )
    row = await cursor.fetchone()
    if row is None:
        return None, [], None
    sealed, kinds, file_ids, note = row
    place = profile_place(sub_user.merchant_id, sub_user.sub_user_id)
    profile = None if sealed is None else json.loads(cipher.open(sealed, place))
    return profile, list(zip(kinds, file_ids, strict=True)), note


async def _one(tx: Transaction, statement: str, parameters: tuple[Any, ...]) -> SubUser | None:
    cursor = await tx.connection.execute(statement, parameters)
    row = await cursor.fetchone()
    return None if row is None else _sub_user(row)


def _sub_user(row: tuple[Any, ...]) -> SubUser:
    merchant_id, sub_user_id, partner, customer, status, actions, reasons, version, created, updated, erased = row
    return SubUser(
        merchant_id,
        sub_user_id,
        partner,
        CustomerType(customer),
        KybStatus(status),
        tuple(actions),
        tuple(reasons),
        version,
        created,
        updated,
        erased,
    )
