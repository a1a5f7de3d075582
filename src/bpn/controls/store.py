"""All SQL of `controls` and `control_uses`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb

from bpn.controls.model import Kind, Operation, Scope, Version
from bpn.database.pool import Transaction
from bpn.kernel.money import Money

CONTROLS_CHANGED = "bpn_controls"
"""The notice that tells every process to read the controls anew."""

_CHANGES_LOCK = 0x62706E63
_COLUMNS = """
    merchant_id, control_id, kind, name, currency, network, value, valid_from, maker, checker, reason, proposal,
    created_at
"""


async def lock_changes(tx: Transaction) -> None:
    """Let one change of controls be made at a time."""
    await tx.connection.execute("SELECT pg_advisory_xact_lock(%s)", (_CHANGES_LOCK,))


async def insert(tx: Transaction, version: Version) -> None:
    """Add a version; every process hears of it at commit."""
    await tx.connection.execute(
        f"INSERT INTO controls ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            version.scope.merchant_id,
            version.control_id,
            version.kind,
            version.name,
            version.scope.currency or "",
            version.scope.network or "",
            None if version.value is None else Jsonb(dict(version.value)),
            version.valid_from,
            version.maker,
            version.checker,
            version.reason,
            version.proposal,
            version.created_at,
        ),
    )
    await tx.connection.execute("SELECT pg_notify(%s, '')", (CONTROLS_CHANGED,))


async def load(tx: Transaction, merchant_ids: Sequence[int] | None = None) -> list[Version]:
    """What is in force or will be, in the order of coming into force; of all merchants when none is named."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM controls
        WHERE NOT proposal AND (%(merchants)s::bigint[] IS NULL OR merchant_id = ANY(%(merchants)s::bigint[]))
        ORDER BY valid_from, control_id
        """,
        {"merchants": None if merchant_ids is None else list(merchant_ids)},
    )
    return [_version(row) for row in await cursor.fetchall()]


async def history(
    tx: Transaction, kind: Kind, *, name: str | None, merchant_id: int | None, limit: int
) -> list[Version]:
    """Versions and proposals of a kind, newest first."""
    condition = "kind = %(kind)s"
    if name is not None:
        condition += " AND name = %(name)s"
    if merchant_id is not None:
        condition += " AND merchant_id = %(merchant_id)s"
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM controls WHERE {condition} ORDER BY control_id DESC LIMIT %(limit)s",
        {"kind": kind, "name": name, "merchant_id": merchant_id, "limit": limit},
    )
    return [_version(row) for row in await cursor.fetchall()]


async def newest(tx: Transaction, kind: Kind, name: str, scope: Scope) -> Version | None:
    """What was last written of a control: a version, or a proposal that waits."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM controls
        WHERE merchant_id = %s AND kind = %s AND name = %s AND currency = %s AND network = %s
        ORDER BY control_id DESC LIMIT 1
        """,
        (scope.merchant_id, kind, name, scope.currency or "", scope.network or ""),
    )
    row = await cursor.fetchone()
    return None if row is None else _version(row)


def _version(row: Sequence[Any]) -> Version:
    merchant_id, control_id, kind, name, currency, network, value, valid_from, *rest = row
    maker, checker, reason, proposal, created_at = rest
    scope = Scope(merchant_id, currency or None, network or None)
    return Version(
        control_id, Kind(kind), name, scope, value, valid_from, maker, checker, reason, proposal, created_at
    )  # fmt: skip


async def add_use(
    tx: Transaction, merchant_id: int, operation: Operation, day: date, amount: Money, *, minus: bool
) -> tuple[Decimal, Decimal]:
    """Count an amount as used on a day (or no longer); what is used then of its currency, and of its asset.

    The rows stay held until the transaction ends, so others of the same merchant, operation and currency wait.
    """
    change = -amount.to_decimal() if minus else amount.to_decimal()
    currency, network = amount.asset.currency, amount.asset.network or "-"
    cursor = await tx.connection.execute(
        """
        INSERT INTO control_uses (merchant_id, operation, currency, network, day, used)
        VALUES (%(merchant_id)s, %(operation)s, %(currency)s, '', %(day)s, greatest(0, %(change)s)),
               (%(merchant_id)s, %(operation)s, %(currency)s, %(network)s, %(day)s, greatest(0, %(change)s))
        ON CONFLICT (merchant_id, operation, currency, network, day)
            DO UPDATE SET used = greatest(0, control_uses.used + %(change)s)
        RETURNING network, used
        """,
        {
            "merchant_id": merchant_id,
            "operation": operation,
            "currency": currency,
            "network": network,
            "day": day,
            "change": change,
        },
    )
    used: dict[str, Decimal] = dict(await cursor.fetchall())
    return used[""], used[network]


async def used_on(
    tx: Transaction, merchant_id: int, operation: Operation, now: datetime
) -> list[tuple[Scope, Decimal]]:
    """What a merchant has used on the UTC day of a time, by currency (no network) and by asset."""
    cursor = await tx.connection.execute(
        """
        SELECT currency, network, used FROM control_uses
        WHERE merchant_id = %s AND operation = %s AND day = %s ORDER BY currency, network
        """,
        (merchant_id, operation, now.date()),
    )
    return [
        (Scope(merchant_id, currency, network or None), used) for currency, network, used in await cursor.fetchall()
    ]
