"""SQL of orders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bpn.chapters.orders.model import (
    Abnormal,
    Arrival,
    Funding,
    Oddity,
    OrderFilter,
    Side,
    StableOrder,
    Status,
)
from bpn.chapters.orders.store.quotes import read_route, route_text
from bpn.database.pool import Transaction
from bpn.database.rows import integers, optional_integers, optional_texts, optional_times, texts
from bpn.kernel.assets import Assets
from bpn.kernel.money import Money, format_decimal

_COLUMNS = """
    o.merchant_id, o.order_id, o.merchant_order_id, o.quote_id, o.side, o.funding, o.paid_asset, o.paid::text,
    o.received_asset, o.received::text, o.fee::text, o.price, o.mid, o.route, o.wallet_id, o.target_wallet_id,
    o.sub_user_id, o.payout_bank_account_id, o.payout_order_id, o.status, o.settled::text, o.instructions, o.arrivals,
    o.abnormal, o.fail_reason, o.remark, o.created_at, o.updated_at, o.expires_at, o.completed_at
"""


def _order(assets: Assets, row: Sequence[Any]) -> StableOrder:
    paid, received = assets.by_code(row[6]), assets.by_code(row[8])
    side = Side(row[4])
    return StableOrder(
        merchant_id=row[0],
        order_id=row[1],
        merchant_order_id=row[2],
        quote_id=None if row[3] is None else row[3].hex,
        side=side,
        funding=Funding(row[5]),
        paid=Money(int(row[7]), paid),
        received=Money(int(row[9]), received),
        fee=Money(int(row[10]), received if side is Side.SELL else paid),
        price=row[11],
        mid=row[12],
        route=read_route(assets, row[13]),
        wallet_id=row[14],
        target_wallet_id=row[15],
        sub_user_id=row[16],
        payout_bank_account_id=row[17],
        payout_order_id=row[18],
        status=Status(row[19]),
        settled=None if row[20] is None else Money(int(row[20]), received),
        instructions=None if row[21] is None else json.loads(row[21]),
        arrivals=tuple(Arrival(one[0], int(one[1])) for one in json.loads(row[22])),
        abnormal=tuple(Abnormal(**{**one, "oddity": Oddity(one["oddity"])}) for one in json.loads(row[23])),
        fail_reason=row[24],
        remark=row[25],
        created_at=row[26],
        updated_at=row[27],
        expires_at=row[28],
        completed_at=row[29],
    )


def _json(value: object) -> str:
    return json.dumps(value)


def _instructions(order: StableOrder) -> str | None:
    return None if order.instructions is None else _json(order.instructions)


def _arrivals(order: StableOrder) -> str:
    return _json([[one.source_id, str(one.minor)] for one in order.arrivals])


def _abnormal(order: StableOrder) -> str:
    return _json([asdict(one) for one in order.abnormal])


async def insert(tx: Transaction, orders: Sequence[StableOrder]) -> None:
    """Add orders."""
    await tx.connection.execute(
        """
        INSERT INTO stable_orders (
            created_at, updated_at, merchant_id, order_id, merchant_order_id, quote_id, side, funding, paid_asset, paid,
            received_asset, received, fee, price, mid, route, wallet_id, target_wallet_id, sub_user_id,
            payout_bank_account_id, payout_order_id, status, settled, instructions, arrivals, abnormal, fail_reason,
            remark, expires_at, completed_at)
        SELECT %s, %s, * FROM unnest(
            %s::bigint[], %s::bigint[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::numeric[],
            %s::text[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::text[], %s::bigint[],
            %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::numeric[], %s::text[], %s::text[],
            %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
        """,
        (
            tx.now,
            tx.now,
            integers([order.merchant_id for order in orders]),
            integers([order.order_id for order in orders]),
            texts([order.merchant_order_id for order in orders]),
            optional_texts([order.quote_id for order in orders]),
            texts([order.side.value for order in orders]),
            texts([order.funding.value for order in orders]),
            texts([order.paid.asset.code for order in orders]),
            integers([order.paid.minor for order in orders]),
            texts([order.received.asset.code for order in orders]),
            integers([order.received.minor for order in orders]),
            integers([order.fee.minor for order in orders]),
            texts([format_decimal(order.price) for order in orders]),
            texts([format_decimal(order.mid) for order in orders]),
            texts([route_text(order.route) for order in orders]),
            integers([order.wallet_id for order in orders]),
            optional_integers([order.target_wallet_id for order in orders]),
            optional_texts([order.sub_user_id for order in orders]),
            optional_integers([order.payout_bank_account_id for order in orders]),
            optional_integers([order.payout_order_id for order in orders]),
            texts([order.status.value for order in orders]),
            optional_integers([None if order.settled is None else order.settled.minor for order in orders]),
            optional_texts([_instructions(order) for order in orders]),
            texts([_arrivals(order) for order in orders]),
            texts([_abnormal(order) for order in orders]),
            optional_texts([order.fail_reason for order in orders]),
            optional_texts([order.remark for order in orders]),
            texts([order.expires_at.isoformat() for order in orders]),
            optional_times([order.completed_at for order in orders]),
        ),
    )


async def save(tx: Transaction, order: StableOrder) -> None:
    """Write what may change of an order; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE stable_orders
        SET received = %s, fee = %s, price = %s, route = %s, payout_order_id = %s, status = %s, settled = %s,
            instructions = %s, arrivals = %s, abnormal = %s, fail_reason = %s, updated_at = %s, completed_at = %s
        WHERE merchant_id = %s AND order_id = %s
        """,
        (
            order.received.minor,
            order.fee.minor,
            order.price,
            route_text(order.route),
            order.payout_order_id,
            order.status,
            None if order.settled is None else order.settled.minor,
            _instructions(order),
            _arrivals(order),
            _abnormal(order),
            order.fail_reason,
            order.updated_at,
            order.completed_at,
            order.merchant_id,
            order.order_id,
        ),
    )


async def lock(tx: Transaction, assets: Assets, merchant_id: int, order_id: int) -> StableOrder | None:
    """An order, held until this transaction ends."""
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM stable_orders o WHERE merchant_id = %s AND order_id = %s FOR UPDATE",
        (merchant_id, order_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _order(assets, row)


async def find(
    tx: Transaction, assets: Assets, merchant_id: int, *, order_id: int | None, merchant_order_id: str | None
) -> StableOrder | None:
    """An order by our id or by the merchant's."""
    condition = "o.order_id = %s" if order_id is not None else "o.merchant_order_id = %s"
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM stable_orders o WHERE o.merchant_id = %s AND {condition}",
        (merchant_id, merchant_order_id if order_id is None else order_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _order(assets, row)


async def taken_ids(tx: Transaction, keys: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
    """Which of the merchants' own ids are taken."""
    cursor = await tx.connection.execute(
        """
        SELECT o.merchant_id, o.merchant_order_id
        FROM unnest(%s::bigint[], %s::text[]) g(merchant_id, merchant_order_id)
        JOIN stable_orders o USING (merchant_id, merchant_order_id)
        """,
        (integers([key[0] for key in keys]), texts([key[1] for key in keys])),
    )
    return {(merchant_id, name) for merchant_id, name in await cursor.fetchall()}


async def page(
    tx: Transaction,
    assets: Assets,
    merchant_id: int,
    filters: OrderFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[StableOrder]]:
    """How many orders match, and a page of them, newest first."""
    conditions = [
        sql
        for sql, value in (
            ("o.status = %(status)s", filters.status),
            ("o.side = %(side)s", filters.side),
            ("o.created_at >= %(start)s", filters.start),
            ("o.created_at < %(end)s", filters.end),
        )
        if value is not None
    ]
    where = " AND ".join(["o.merchant_id = %(merchant_id)s", *conditions])
    parameters = {
        "merchant_id": merchant_id,
        "status": filters.status,
        "side": filters.side,
        "start": filters.start,
        "end": filters.end,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM stable_orders o WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND o.order_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM stable_orders o WHERE {where}{keyset}
        ORDER BY o.order_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_order(assets, row) for row in await cursor.fetchall()]


async def lock_overdue(tx: Transaction, assets: Assets, now: datetime, limit: int) -> list[StableOrder]:
    """Orders whose funds are overdue; those that another worker holds are left to it."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM stable_orders o WHERE status = 'AWAITING_FUNDS' AND expires_at <= %s
        ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED
        """,
        (now, limit),
    )
    return [_order(assets, row) for row in await cursor.fetchall()]
