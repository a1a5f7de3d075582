"""SQL of quotes, and of what stands open in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bpn.chapters.orders.model import Hop, Quote, Route, Side, Venue
from bpn.database.pool import Transaction
from bpn.database.rows import integers, optional_integers, texts
from bpn.kernel.assets import Assets
from bpn.kernel.money import Money, format_decimal

_COLUMNS = """
    q.merchant_id, q.quote_id, q.side, q.paid_asset, q.paid::text, q.received_asset, q.received::text, q.fee::text,
    q.price, q.mid, q.route, q.wallet_id, q.exposure_cents::text, q.created_at, q.expires_at, q.order_id
"""


def route_text(route: Route) -> str:
    """A route as it is kept."""
    return json.dumps(
        [
            [hop.venue, hop.pool_id, hop.paid.asset.code, str(hop.paid.minor), hop.received.asset.code,
             str(hop.received.minor)]
            for hop in route
        ]
    )  # fmt: skip


def read_route(assets: Assets, text: str) -> Route:
    """A route out of what is kept."""
    return tuple(
        Hop(
            Venue(venue),
            pool_id,
            Money(int(paid), assets.by_code(paid_code)),
            Money(int(received), assets.by_code(received_code)),
        )
        for venue, pool_id, paid_code, paid, received_code, received in json.loads(text)
    )


async def insert(tx: Transaction, quotes: Sequence[Quote]) -> None:
    """Add quotes."""
    await tx.connection.execute(
        """
        INSERT INTO stable_quotes (
            created_at, merchant_id, quote_id, side, paid_asset, paid, received_asset, received, fee, price, mid, route,
            wallet_id, exposure_cents, expires_at)
        SELECT %s, * FROM unnest(
            %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::numeric[], %s::text[], %s::numeric[], %s::numeric[],
            %s::numeric[], %s::numeric[], %s::text[], %s::bigint[], %s::numeric[], %s::timestamptz[])
        """,
        (
            tx.now,
            integers([quote.merchant_id for quote in quotes]),
            texts([quote.quote_id for quote in quotes]),
            texts([quote.side.value for quote in quotes]),
            texts([quote.paid.asset.code for quote in quotes]),
            integers([quote.paid.minor for quote in quotes]),
            texts([quote.received.asset.code for quote in quotes]),
            integers([quote.received.minor for quote in quotes]),
            integers([quote.fee.minor for quote in quotes]),
            texts([format_decimal(quote.price) for quote in quotes]),
            texts([format_decimal(quote.mid) for quote in quotes]),
            texts([route_text(quote.route) for quote in quotes]),
            optional_integers([quote.wallet_id for quote in quotes]),
            integers([quote.exposure_cents for quote in quotes]),
            texts([quote.expires_at.isoformat() for quote in quotes]),
        ),
    )


async def lock_many(tx: Transaction, assets: Assets, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Quote]:
    """Quotes by merchant and id, held until this transaction ends; locked in one order."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM unnest(%s::bigint[], %s::uuid[]) g(merchant_id, quote_id)
        JOIN stable_quotes q USING (merchant_id, quote_id)
        ORDER BY q.merchant_id, q.quote_id FOR UPDATE OF q
        """,
        (integers([key[0] for key in keys]), texts([key[1] for key in keys])),
    )
    quotes = [_quote(assets, row) for row in await cursor.fetchall()]
    return {(quote.merchant_id, quote.quote_id): quote for quote in quotes}


def _quote(assets: Assets, row: Sequence[Any]) -> Quote:
    paid, received = assets.by_code(row[3]), assets.by_code(row[5])
    side = Side(row[2])
    quote_id: UUID = row[1]
    return Quote(
        merchant_id=row[0],
        quote_id=quote_id.hex,
        side=side,
        paid=Money(int(row[4]), paid),
        received=Money(int(row[6]), received),
        fee=Money(int(row[7]), received if side is Side.SELL else paid),
        price=row[8],
        mid=row[9],
        route=read_route(assets, row[10]),
        wallet_id=row[11],
        exposure_cents=int(row[12]),
        created_at=row[13],
        expires_at=row[14],
        order_id=row[15],
    )


async def mark_used(tx: Transaction, used: Sequence[tuple[Quote, int]]) -> None:
    """Note which orders were made of quotes; the caller holds their rows. They are not open any more."""
    await tx.connection.execute(
        """
        UPDATE stable_quotes q SET order_id = g.order_id
        FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[]) g(merchant_id, quote_id, order_id)
        WHERE q.merchant_id = g.merchant_id AND q.quote_id = g.quote_id
        """,
        (
            integers([quote.merchant_id for quote, _ in used]),
            texts([quote.quote_id for quote, _ in used]),
            integers([order_id for _, order_id in used]),
        ),
    )


async def lock_exposures(tx: Transaction, merchant_ids: Sequence[int], ends_at: datetime) -> dict[int, int]:
    """What stands open in quotes, US cents by merchant; held against other quotes of them until this ends."""
    async with tx.together():
        await tx.connection.execute(
            """
            INSERT INTO stable_exposures (merchant_id, ends_at, cents)
            SELECT g, %s, 0 FROM unnest(%s::bigint[]) g ORDER BY g
            ON CONFLICT (merchant_id, ends_at) DO UPDATE SET cents = stable_exposures.cents
            """,
            (ends_at, integers(merchant_ids)),
        )
        cursor = await tx.connection.execute(
            """
            SELECT e.merchant_id, sum(e.cents)::text
            FROM unnest(%s::bigint[]) g(merchant_id) JOIN stable_exposures e USING (merchant_id)
            WHERE e.ends_at > %s GROUP BY e.merchant_id
            """,
            (integers(merchant_ids), tx.now),
        )
        return {merchant_id: int(cents) for merchant_id, cents in await cursor.fetchall()}


async def add_exposures(tx: Transaction, changes: Mapping[tuple[int, datetime], int]) -> None:
    """Change what stands open, by merchant and the minute in which it ends."""
    ordered = sorted(changes)
    await tx.connection.execute(
        """
        UPDATE stable_exposures e SET cents = e.cents + g.cents
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::numeric[]) g(merchant_id, ends_at, cents)
        WHERE e.merchant_id = g.merchant_id AND e.ends_at = g.ends_at
        """,
        (
            integers([merchant_id for merchant_id, _ in ordered]),
            texts([ends_at.isoformat() for _, ends_at in ordered]),
            integers([changes[key] for key in ordered]),
        ),
    )


async def delete_old(tx: Transaction, before: datetime, limit: int) -> int:
    """Forget quotes and exposures that ended before a time, some at a time; how many quotes."""
    await tx.connection.execute("DELETE FROM stable_exposures WHERE ends_at < %s", (before,))
    cursor = await tx.connection.execute(
        """
        DELETE FROM stable_quotes WHERE (merchant_id, quote_id) IN (
            SELECT merchant_id, quote_id FROM stable_quotes WHERE expires_at < %s LIMIT %s)
        """,
        (before, limit),
    )
    return cursor.rowcount
