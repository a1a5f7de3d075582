"""SQL of deposit addresses to be swept, and of sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from bpn.chapters.wallet.model.sweeping import Sweep, Sweepable, SweepState
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.database.rows import integers, texts


async def mark(
    tx: DatabaseTransaction, places: Sequence[tuple[int, str, str, str]], time: datetime
) -> None:  # fmt: skip
    """Have addresses looked at; `places` are merchant, network, currency and address."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_sweepable
        SELECT g.merchant_id, g.network, g.currency, g.address, i.address_index, %s::timestamptz
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) g(merchant_id, network, currency, address)
        CROSS JOIN LATERAL (
            SELECT w.address_index FROM wallet_addresses a JOIN wallets w USING (merchant_id, wallet_id)
            WHERE a.merchant_id = g.merchant_id AND a.network = g.network AND a.address = g.address
            UNION
            SELECT e.address_index FROM wallet_earmark_addresses a
            JOIN wallet_earmarks e USING (merchant_id, kind, subject_id)
            WHERE a.merchant_id = g.merchant_id AND a.network = g.network AND a.address = g.address
        ) i
        ON CONFLICT (merchant_id, network, currency, address) DO UPDATE SET check_at = excluded.check_at
        """,
        (
            time,
            integers([place[0] for place in places]),
            texts([place[1] for place in places]),
            texts([place[2] for place in places]),
            texts([place[3] for place in places]),
        ),
    )


async def list_due(
    tx: DatabaseTransaction, network: str, short: Sequence[str], now: datetime, limit: int
) -> list[Sweepable]:
    """Addresses to look at: of currencies that the hot wallet is short of first, then those whose time has come.

    Left out are addresses with a sweep under way, and those that hold a frozen deposit.
    """
    columns = "s.merchant_id, s.network, s.currency, s.address, s.key_index, s.check_at"
    rest = """
        NOT EXISTS (SELECT FROM wallet_sweeps o WHERE o.merchant_id = s.merchant_id AND o.network = s.network
                        AND o.address = s.address AND o.completed_at IS NULL)
        AND NOT EXISTS (SELECT FROM wallet_transactions t WHERE t.merchant_id = s.merchant_id
                        AND t.transaction_type = 'DEPOSIT' AND t.network = s.network AND t.status = 'FROZEN'
                        AND t.completed_at IS NULL AND t.to_address = s.address)
    """
    async with tx.connection.cursor(row_factory=class_row(Sweepable)) as cursor:
        await cursor.execute(
            f"""
            (SELECT {columns} FROM wallet_sweepable s
             WHERE s.network = %(network)s AND s.currency = ANY(%(short)s) AND {rest}
             ORDER BY s.check_at LIMIT %(limit)s)
            UNION ALL
            (SELECT {columns} FROM wallet_sweepable s
             WHERE s.network = %(network)s AND s.check_at <= %(now)s AND s.currency <> ALL(%(short)s) AND {rest}
             ORDER BY s.check_at LIMIT %(limit)s)
            LIMIT %(limit)s
            """,
            {"network": network, "short": list(short), "now": now, "limit": limit},
        )
        return await cursor.fetchall()


async def rest(tx: DatabaseTransaction, place: Sweepable, until: datetime | None) -> None:
    """Leave an address alone until then, or (None) until something is booked there; not if it was marked meanwhile."""
    key = (place.merchant_id, place.network, place.currency, place.address, place.check_at)
    if until is None:
        await tx.connection.execute(
            """
            DELETE FROM wallet_sweepable
            WHERE merchant_id = %s AND network = %s AND currency = %s AND address = %s AND check_at = %s
            """,
            key,
        )
        return
    await tx.connection.execute(
        """
        UPDATE wallet_sweepable SET check_at = %s
        WHERE merchant_id = %s AND network = %s AND currency = %s AND address = %s AND check_at = %s
        """,
        (until, *key),
    )


async def insert(tx: DatabaseTransaction, sweep: Sweep) -> bool:
    """Begin a sweep; false where one of the address is under way."""
    cursor = await tx.connection.execute(
        """
        INSERT INTO wallet_sweeps (merchant_id, sweep_id, network, currency, address, key_index, contract, recipient,
                                   amount, top_up, state, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        (
            sweep.merchant_id,
            sweep.sweep_id,
            sweep.network,
            sweep.currency,
            sweep.address,
            sweep.key_index,
            sweep.contract,
            sweep.recipient,
            sweep.amount,
            sweep.top_up,
            sweep.state,
            sweep.created_at,
        ),
    )
    return cursor.rowcount == 1


async def lock(tx: DatabaseTransaction, merchant_id: int, sweep_id: int) -> Sweep:
    """A sweep, held."""
    (sweep,) = await _find(
        tx, "merchant_id = %s AND sweep_id = %s FOR UPDATE", (merchant_id, sweep_id)
    )  # fmt: skip
    return sweep


async def lock_in(tx: DatabaseTransaction, network: str, state: SweepState, limit: int) -> list[Sweep]:
    """Sweeps in a state, oldest first, held; those that another worker holds are left to it."""
    condition = "network = %s AND state = %s AND completed_at IS NULL ORDER BY sweep_id LIMIT %s FOR UPDATE SKIP LOCKED"
    return await _find(tx, condition, (network, state, limit))


async def list_open(tx: DatabaseTransaction, network: str) -> list[Sweep]:
    """Sweeps under way, oldest first."""
    return await _find(tx, "network = %s AND completed_at IS NULL ORDER BY sweep_id", (network,))


async def _find(tx: DatabaseTransaction, condition: Any, parameters: Sequence[object]) -> list[Sweep]:
    cursor = await tx.connection.execute(
        f"""
        SELECT merchant_id, sweep_id, network, currency, address, key_index, contract, recipient, amount::text,
               top_up::text, state, fail_reason, created_at, completed_at
        FROM wallet_sweeps WHERE {condition}
        """,
        parameters,
    )
    return [_sweep(row) for row in await cursor.fetchall()]


def _sweep(row: Sequence[Any]) -> Sweep:
    return Sweep(
        merchant_id=row[0],
        sweep_id=row[1],
        network=row[2],
        currency=row[3],
        address=row[4],
        key_index=row[5],
        contract=row[6],
        recipient=row[7],
        amount=int(row[8]),
        top_up=int(row[9]),
        state=SweepState(row[10]),
        fail_reason=row[11],
        created_at=row[12],
        completed_at=row[13],
    )


async def rest_address(tx: DatabaseTransaction, sweep: Sweep, until: datetime) -> None:
    """Leave the address of a sweep alone until then."""
    await tx.connection.execute(
        """
        UPDATE wallet_sweepable SET check_at = %s
        WHERE merchant_id = %s AND network = %s AND currency = %s AND address = %s
        """,
        (until, sweep.merchant_id, sweep.network, sweep.currency, sweep.address),
    )


async def save(tx: DatabaseTransaction, sweep: Sweep) -> None:
    """Write how far a sweep has come; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE wallet_sweeps SET state = %s, fail_reason = %s, completed_at = %s
        WHERE merchant_id = %s AND sweep_id = %s
        """,
        (sweep.state, sweep.fail_reason, sweep.completed_at, sweep.merchant_id, sweep.sweep_id),
    )
