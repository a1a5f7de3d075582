"""SQL of links."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bpn.chapters.payment_links.model import (
    Choice,
    Label,
    LinkFilter,
    LinkStatus,
    LinkType,
    Payer,
    PaymentLink,
)
from bpn.database.pool import Transaction
from bpn.database.rows import integers, optional_times, texts
from bpn.kernel.assets import Asset
from bpn.kernel.encryption import Cipher
from bpn.kernel.money import Money

DIRECTORY = "payment_link"
"""In the directory: whose is this public token."""

_COLUMNS = """
    l.merchant_id, l.payment_id, l.reference_payment_id, l.token, l.link_type, l.status, l.user_order_no,
    l.recipient_name, l.wallet_id, l.product_remark, l.fiat_currency, l.fiat_scale, l.fiat_amount::text, l.currencies,
    l.networks, l.valid_minutes, l.return_url, l.currency, l.network, l.scale, l.amount::text, l.price,
    l.price_expires_at, l.address, l.payer_known, l.labels, l.seen_at, l.effective_at, l.expires_at, l.created_at,
    l.updated_at, l.completed_at, l.cancelled_at
"""


def _link(row: Sequence[Any]) -> PaymentLink:
    fiat_asset = Asset(row[10], None, row[11])
    choice = None
    if row[17] is not None:
        choice = Choice(Money(int(row[20]), Asset(row[17], row[18], row[19])), row[21], row[22])
    return PaymentLink(
        merchant_id=row[0],
        payment_id=row[1],
        reference_payment_id=row[2],
        token=row[3],
        link_type=LinkType(row[4]),
        status=LinkStatus(row[5]),
        user_order_no=row[6],
        recipient_name=row[7],
        wallet_id=row[8],
        product_remark=row[9],
        fiat_asset=fiat_asset,
        fiat=None if row[12] is None else Money(int(row[12]), fiat_asset),
        currencies=tuple(row[13]),
        networks=tuple(row[14]),
        valid_minutes=row[15],
        return_url=row[16],
        choice=choice,
        address=row[23],
        payer_known=row[24],
        labels=tuple(Label(label) for label in row[25]),
        seen_at=row[26],
        effective_at=row[27],
        expires_at=row[28],
        created_at=row[29],
        updated_at=row[30],
        completed_at=row[31],
        cancelled_at=row[32],
    )


async def insert(tx: Transaction, cipher: Cipher, link: PaymentLink, payer: Payer | None) -> None:
    """Add a link, and its public token to the directory."""
    async with tx.together():
        await tx.connection.execute(
            "INSERT INTO directory (kind, value, merchant_id) VALUES (%s, %s, %s)",
            (DIRECTORY, link.token, link.merchant_id),
        )
        await tx.connection.execute(
            """
            INSERT INTO payment_links (
                merchant_id, payment_id, reference_payment_id, token, link_type, status, user_order_no,
                recipient_name, wallet_id, product_remark, fiat_currency, fiat_scale, fiat_amount, currencies, networks,
                valid_minutes, return_url, sealed_payer, payer_known, effective_at, expires_at, created_at, updated_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                link.merchant_id,
                link.payment_id,
                link.reference_payment_id,
                link.token,
                link.link_type,
                link.status,
                link.user_order_no,
                link.recipient_name,
                link.wallet_id,
                link.product_remark,
                link.fiat_asset.currency,
                link.fiat_asset.scale,
                None if link.fiat is None else link.fiat.minor,
                list(link.currencies),
                list(link.networks),
                link.valid_minutes,
                link.return_url,
                None if payer is None else _seal(cipher, link, payer),
                link.payer_known,
                link.effective_at,
                link.expires_at,
                link.created_at,
                link.updated_at,
            ),
        )


async def save(tx: Transaction, link: PaymentLink) -> None:
    """Write what may change of a link; the caller holds its row."""
    choice = link.choice
    await tx.connection.execute(
        """
        UPDATE payment_links
        SET status = %s, fiat_amount = %s, currency = %s, network = %s, scale = %s, amount = %s, units = %s, price = %s,
            price_expires_at = %s, address = %s, labels = %s, seen_at = %s, expires_at = %s, updated_at = %s,
            completed_at = %s, cancelled_at = %s
        WHERE merchant_id = %s AND payment_id = %s
        """,
        (
            link.status,
            None if link.fiat is None else link.fiat.minor,
            choice and choice.amount.asset.currency,
            choice and choice.amount.asset.network,
            choice and choice.amount.asset.scale,
            choice and choice.amount.minor,
            choice and choice.amount.to_decimal(),
            choice and choice.price,
            choice and choice.price_expires_at,
            link.address,
            [label.value for label in link.labels],
            link.seen_at,
            link.expires_at,
            link.updated_at,
            link.completed_at,
            link.cancelled_at,
            link.merchant_id,
            link.payment_id,
        ),
    )


async def lock(tx: Transaction, merchant_id: int, payment_id: int) -> PaymentLink | None:
    """A link, held until this transaction ends."""
    return await _one(tx, "l.merchant_id = %s AND l.payment_id = %s FOR UPDATE", (merchant_id, payment_id))


async def find(tx: Transaction, merchant_id: int, payment_id: int) -> PaymentLink | None:
    """A link of a merchant."""
    return await _one(tx, "l.merchant_id = %s AND l.payment_id = %s", (merchant_id, payment_id))


async def find_by_token(tx: Transaction, token: str) -> PaymentLink | None:
    """The link of a public token, whoever's it is."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM directory d JOIN payment_links l ON l.merchant_id = d.merchant_id AND l.token = d.value
        WHERE d.kind = %s AND d.value = %s
        """,
        (DIRECTORY, token),
    )
    row = await cursor.fetchone()
    return None if row is None else _link(row)


async def _one(tx: Transaction, condition: Any, parameters: tuple[object, ...]) -> PaymentLink | None:
    cursor = await tx.connection.execute(f"SELECT {_COLUMNS} FROM payment_links l WHERE " + condition, parameters)
    row = await cursor.fetchone()
    return None if row is None else _link(row)


async def page(
    tx: Transaction, merchant_id: int, filters: LinkFilter, *, before: int | None, offset: int, limit: int
) -> tuple[int, list[PaymentLink]]:
    """How many links match, and a page of them, newest first."""
    conditions = ["l.merchant_id = %(merchant_id)s"]
    conditions += [
        sql
        for sql, value in (
            ("l.status = %(status)s", filters.status),
            ("l.link_type = %(link_type)s", filters.link_type),
            ("l.user_order_no = %(user_order_no)s", filters.user_order_no),
            ("l.created_at >= %(start)s", filters.start),
            ("l.created_at < %(end)s", filters.end),
        )
        if value is not None
    ]
    where = " AND ".join(conditions)
    parameters = {
        "merchant_id": merchant_id,
        "status": filters.status,
        "link_type": filters.link_type,
        "user_order_no": filters.user_order_no,
        "start": filters.start,
        "end": filters.end,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM payment_links l WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND l.payment_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM payment_links l WHERE {where}{keyset}
        ORDER BY l.payment_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_link(row) for row in await cursor.fetchall()]


async def lock_over(tx: Transaction, now: datetime, read: Mapping[str, datetime], limit: int) -> list[PaymentLink]:
    """Links whose time is over and that still wait, held; those that another worker holds are left to it.

    `read`: by network, up to which time its blocks are known; links beyond that are left for later.
    """
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM payment_links l
        LEFT JOIN unnest(%s::text[], %s::timestamptz[]) g(network, until) ON g.network = l.network
        WHERE l.status IN ('init', 'active') AND l.expires_at <= %s AND (l.network IS NULL OR l.expires_at <= g.until)
        ORDER BY l.expires_at LIMIT %s FOR UPDATE OF l SKIP LOCKED
        """,
        (texts(list(read)), optional_times(list(read.values())), now, limit),
    )
    return [_link(row) for row in await cursor.fetchall()]


async def near(
    tx: Transaction, merchant_id: int, amount: Money, fiat: Sequence[Money], limit: int
) -> list[PaymentLink]:
    """Unpaid links of a merchant whose amount is nearest to an amount of a currency, by indexes alone.

    Args:
        tx: the transaction.
        merchant_id: whose.
        amount: what a fund has; links with a choice in its currency are compared with it.
        fiat: what it is worth in national currencies; links without a choice are compared with it.
        limit: how many above and how many below, of each kind.
    """
    found: dict[int, PaymentLink] = {}
    for side, direction in ((">=", "ASC"), ("<", "DESC")):
        cursor = await tx.connection.execute(
            f"""
            SELECT {_COLUMNS} FROM payment_links l
            WHERE l.merchant_id = %s AND l.currency = %s AND l.units {side} %s
              AND l.status IN ('init', 'active', 'expired') AND l.link_type = 'one_time'
            ORDER BY l.units {direction} LIMIT %s
            """,
            (merchant_id, amount.asset.currency, amount.to_decimal(), limit),
        )
        found |= {link.payment_id: link for link in map(_link, await cursor.fetchall())}
        for worth in fiat:
            cursor = await tx.connection.execute(
                f"""
                SELECT {_COLUMNS} FROM payment_links l
                WHERE l.merchant_id = %s AND l.fiat_currency = %s AND l.fiat_amount {side} %s AND l.currency IS NULL
                  AND l.status IN ('init', 'expired') AND l.link_type = 'one_time'
                ORDER BY l.fiat_amount {direction} LIMIT %s
                """,
                (merchant_id, worth.asset.currency, worth.minor, limit),
            )
            found |= {link.payment_id: link for link in map(_link, await cursor.fetchall())}
    return list(found.values())


async def fiat_currencies(tx: Transaction, merchant_id: int) -> list[str]:
    """The national currencies of a merchant's unpaid links without a choice, a few steps of the index each."""
    cursor = await tx.connection.execute(
        """
        WITH RECURSIVE found AS (
            (SELECT fiat_currency FROM payment_links WHERE merchant_id = %(merchant)s AND currency IS NULL
               AND status IN ('init', 'expired') AND link_type = 'one_time' ORDER BY fiat_currency LIMIT 1)
            UNION ALL
            SELECT (SELECT l.fiat_currency FROM payment_links l WHERE l.merchant_id = %(merchant)s
                      AND l.currency IS NULL AND l.status IN ('init', 'expired') AND l.link_type = 'one_time'
                      AND l.fiat_currency > f.fiat_currency ORDER BY l.fiat_currency LIMIT 1)
            FROM found f WHERE f.fiat_currency IS NOT NULL
        )
        SELECT fiat_currency FROM found WHERE fiat_currency IS NOT NULL
        """,
        {"merchant": merchant_id},
    )
    return [currency for (currency,) in await cursor.fetchall()]


async def set_payer(tx: Transaction, cipher: Cipher, link: PaymentLink, payer: Payer) -> None:
    """Keep the payer's details, sealed."""
    await tx.connection.execute(
        "UPDATE payment_links SET sealed_payer = %s, payer_known = %s WHERE merchant_id = %s AND payment_id = %s",
        (_seal(cipher, link, payer), payer.named, link.merchant_id, link.payment_id),
    )


async def payers(tx: Transaction, cipher: Cipher, links: Sequence[PaymentLink]) -> dict[int, Payer]:
    """What is kept of the payers of links, by payment id; links without details are absent."""
    cursor = await tx.connection.execute(
        """
        SELECT l.merchant_id, l.payment_id, l.sealed_payer
        FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, payment_id)
        JOIN payment_links l USING (merchant_id, payment_id) WHERE l.sealed_payer IS NOT NULL
        """,
        (integers([link.merchant_id for link in links]), integers([link.payment_id for link in links])),
    )
    return {
        payment_id: Payer(**json.loads(cipher.open(sealed, _place(merchant_id, payment_id))))
        for merchant_id, payment_id, sealed in await cursor.fetchall()
    }


def _seal(cipher: Cipher, link: PaymentLink, payer: Payer) -> bytes:
    return cipher.seal(json.dumps(asdict(payer)).encode(), _place(link.merchant_id, link.payment_id))


def _place(merchant_id: int, payment_id: int) -> str:
    return f"payment_links/{merchant_id}/{payment_id}"
