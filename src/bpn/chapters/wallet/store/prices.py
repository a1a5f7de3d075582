"""SQL of the newest prices."""

from __future__ import annotations

from collections.abc import Mapping

from bpn.chapters.wallet.model import Price
from bpn.database.pool import Transaction as DatabaseTransaction


async def find_all(tx: DatabaseTransaction) -> dict[str, Price]:
    """The newest price of each currency."""
    cursor = await tx.connection.execute("SELECT currency, usd, price_time, source FROM wallet_prices")
    return {currency: Price(usd, time, source) for currency, usd, time, source in await cursor.fetchall()}


async def save(tx: DatabaseTransaction, prices: Mapping[str, Price]) -> None:
    """Replace prices by newer ones; an older one never replaces a newer."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_prices (currency, usd, price_time, source)
        SELECT * FROM unnest(%s::text[], %s::numeric[], %s::timestamptz[], %s::text[])
        ON CONFLICT (currency) DO UPDATE
            SET usd = excluded.usd, price_time = excluded.price_time, source = excluded.source
            WHERE wallet_prices.price_time <= excluded.price_time OR wallet_prices.source <> excluded.source
        """,
        (
            list(prices),
            [price.usd for price in prices.values()],
            [price.time for price in prices.values()],
            [price.source for price in prices.values()],
        ),
    )
