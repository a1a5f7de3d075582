"""SQL of orders, a merchant's fiat history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from bpn.chapters.accounts.model import (
    Direction,
    HeldIn,
    InvoiceStatus,
    Order,
    OrderFilter,
    OrderType,
    Status,
)
from bpn.database.pool import Transaction
from bpn.database.rows import hexadecimals, integers, optional_integers, optional_texts, optional_times, texts
from bpn.kernel.assets import Asset
from bpn.kernel.encryption import Cipher
from bpn.kernel.money import Money
from bpn.ports.readers import BankParty

COLUMNS = """
    o.merchant_id, o.order_id, o.order_type, o.direction, o.account_id, o.primary_account_id, o.merchant_order_id,
    o.counter_order_id, o.currency, o.scale, o.amount::text, o.fee::text, o.refunded::text, o.status,
    o.invoice_status, o.rail, o.source, o.rail_reference, o.end_to_end_id, o.purpose, o.remark, o.charge_bearer,
    o.fail_code, o.fail_reason, o.sealed_party, o.bank_account_id, o.earmark, o.held_in, o.due_at, o.created_at,
    o.updated_at, o.completed_at
"""
"""What `order_of` reads, of `virtual_account_orders o`."""

_PARTIES = TypeAdapter(BankParty)


@dataclass(frozen=True, slots=True)
class Holds:
    """The ledger's holds of an order that takes money; no fee, no hold of it."""

    amount_hold_id: int | None
    fee_hold_id: int | None


def order_of(cipher: Cipher, row: Sequence[Any]) -> Order:
    """A row of `COLUMNS`."""
    asset = Asset(row[8], None, row[9])
    sealed = row[24]
    return Order(
        merchant_id=row[0],
        order_id=row[1],
        order_type=OrderType(row[2]),
        direction=Direction(row[3]),
        account_id=row[4],
        primary_account_id=row[5],
        merchant_order_id=row[6],
        counter_order_id=row[7],
        amount=Money(int(row[10]), asset),
        fee=Money(int(row[11]), asset),
        refunded=int(row[12]),
        status=Status(row[13]),
        invoice_status=InvoiceStatus(row[14]),
        rail=row[15],
        source=row[16],
        rail_reference=row[17],
        end_to_end_id=row[18],
        purpose=row[19],
        remark=row[20],
        charge_bearer=row[21],
        fail_code=row[22],
        fail_reason=row[23],
        party=None if sealed is None else _PARTIES.validate_json(cipher.open(bytes(sealed), _place(row[1]))),
        bank_account_id=row[25],
        earmark=row[26],
        held_in=None if row[27] is None else HeldIn(row[27]),
        due_at=row[28],
        created_at=row[29],
        updated_at=row[30],
        completed_at=row[31],
    )


def _place(order_id: int) -> str:
    return f"virtual_account_orders/{order_id}"


def _seal(cipher: Cipher, order: Order) -> bytes:
    return b"" if order.party is None else cipher.seal(_PARTIES.dump_json(order.party), _place(order.order_id))


def party_digest(cipher: Cipher, party: BankParty | None) -> bytes:
    """What two payers must have in common to be the same: the account or key that paid, else the name."""
    if party is None:
        return b""
    told = party.account or party.pix_key or party.tax_id or party.name or ""
    return cipher.digest(told.encode(), "party")


async def insert(
    tx: Transaction, cipher: Cipher, orders: Sequence[Order], holds: Mapping[int, Holds] | None = None
) -> bool:
    """Add orders, with their holds by order id; false when one has an id of the merchant's that is taken."""
    held = holds or {}
    none = Holds(None, None)
    cursor = await tx.connection.execute(
        """
        INSERT INTO virtual_account_orders (
            created_at, updated_at, merchant_id, order_id, order_type, direction, account_id, primary_account_id,
            merchant_order_id, counter_order_id, currency, scale, amount, fee, status, invoice_status, rail, source,
            rail_reference, end_to_end_id, purpose, remark, charge_bearer, fail_code, fail_reason, sealed_party,
            party_digest, bank_account_id, earmark, held_in, amount_hold_id, fee_hold_id, due_at, completed_at)
        SELECT %s, %s, g.c1, g.c2, g.c3, g.c4, g.c5, g.c6, g.c7, g.c8, g.c9, g.c10, g.c11, g.c12, g.c13, g.c14, g.c15,
            g.c16, g.c17, g.c18, g.c19, g.c20, g.c21, g.c22, g.c23, nullif(g.c24, ''), nullif(g.c25, ''), g.c26,
            g.c27, g.c28, g.c29, g.c30, g.c31, g.c32
        FROM unnest(
            %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[],
            %s::text[], %s::smallint[], %s::numeric[], %s::numeric[], %s::text[], %s::text[], %s::text[], %s::text[],
            %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[],
            %s::bytea[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[],
            %s::timestamptz[]) g(c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19,
            c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, c32)
        ON CONFLICT (merchant_id, merchant_order_id) WHERE merchant_order_id IS NOT NULL DO NOTHING
        """,
        (
            tx.now,
            tx.now,
            integers([o.merchant_id for o in orders]),
            integers([o.order_id for o in orders]),
            texts([o.order_type.value for o in orders]),
            texts([o.direction.value for o in orders]),
            integers([o.account_id for o in orders]),
            integers([o.primary_account_id for o in orders]),
            optional_texts([o.merchant_order_id for o in orders]),
            optional_integers([o.counter_order_id for o in orders]),
            texts([o.amount.asset.currency for o in orders]),
            integers([o.amount.asset.scale for o in orders]),
            integers([o.amount.minor for o in orders]),
            integers([o.fee.minor for o in orders]),
            texts([o.status.value for o in orders]),
            texts([o.invoice_status.value for o in orders]),
            texts([o.rail for o in orders]),
            texts([o.source for o in orders]),
            optional_texts([o.rail_reference for o in orders]),
            optional_texts([o.end_to_end_id for o in orders]),
            optional_texts([o.purpose for o in orders]),
            optional_texts([o.remark for o in orders]),
            optional_texts([o.charge_bearer for o in orders]),
            optional_texts([o.fail_code for o in orders]),
            optional_texts([o.fail_reason for o in orders]),
            hexadecimals([_seal(cipher, o) for o in orders]),
            hexadecimals([party_digest(cipher, o.party) for o in orders]),
            optional_integers([o.bank_account_id for o in orders]),
            optional_texts([o.earmark for o in orders]),
            optional_texts([None if o.held_in is None else o.held_in.value for o in orders]),
            optional_integers([held.get(o.order_id, none).amount_hold_id for o in orders]),
            optional_integers([held.get(o.order_id, none).fee_hold_id for o in orders]),
            optional_times([o.due_at for o in orders]),
            optional_times([o.completed_at for o in orders]),
        ),
    )
    return tx.pipelined or cursor.rowcount == len(orders)


async def save(tx: Transaction, orders: Sequence[Order]) -> None:
    """Write what may change of orders; the caller holds their rows."""
    await tx.connection.execute(
        """
        UPDATE virtual_account_orders o
        SET status = g.status, invoice_status = g.invoice_status, fee = g.fee, refunded = g.refunded,
            fail_code = g.fail_code, fail_reason = g.fail_reason, held_in = g.held_in, due_at = g.due_at,
            rail_reference = g.rail_reference, updated_at = g.updated_at, completed_at = g.completed_at
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::numeric[], %s::numeric[], %s::text[],
                    %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::timestamptz[], %s::timestamptz[])
             g(merchant_id, order_id, status, invoice_status, fee, refunded, fail_code, fail_reason, held_in, due_at,
               rail_reference, updated_at, completed_at)
        WHERE o.merchant_id = g.merchant_id AND o.order_id = g.order_id
        """,
        (
            integers([o.merchant_id for o in orders]),
            integers([o.order_id for o in orders]),
            texts([o.status.value for o in orders]),
            texts([o.invoice_status.value for o in orders]),
            integers([o.fee.minor for o in orders]),
            integers([o.refunded for o in orders]),
            optional_texts([o.fail_code for o in orders]),
            optional_texts([o.fail_reason for o in orders]),
            optional_texts([None if o.held_in is None else o.held_in.value for o in orders]),
            optional_times([o.due_at for o in orders]),
            optional_texts([o.rail_reference for o in orders]),
            optional_times([o.updated_at for o in orders]),
            optional_times([o.completed_at for o in orders]),
        ),
    )


async def lock_many(tx: Transaction, cipher: Cipher, keys: Sequence[tuple[int, int]]) -> dict[int, Order]:
    """Orders by merchant and id, held in the order of their ids; by order id."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM (SELECT DISTINCT * FROM unnest(%s::bigint[], %s::bigint[])) g(merchant_id, order_id)
        JOIN virtual_account_orders o USING (merchant_id, order_id)
        ORDER BY o.merchant_id, o.order_id FOR UPDATE OF o
        """,
        (integers([key[0] for key in keys]), integers([key[1] for key in keys])),
    )
    return {row[1]: order_of(cipher, row) for row in await cursor.fetchall()}


async def lock(tx: Transaction, cipher: Cipher, merchant_id: int, order_id: int) -> Order | None:
    """An order, held until this transaction ends."""
    return (await lock_many(tx, cipher, [(merchant_id, order_id)])).get(order_id)


async def lock_by_reference(
    tx: Transaction, cipher: Cipher, source: str, references: Sequence[tuple[int, str]]
) -> dict[str, Order]:
    """Orders by merchant and their rail's reference, held; by reference."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM (SELECT DISTINCT * FROM unnest(%s::bigint[], %s::text[])) g(merchant_id, rail_reference)
        JOIN virtual_account_orders o ON o.merchant_id = g.merchant_id AND o.source = %s
            AND o.rail_reference = g.rail_reference
        ORDER BY o.merchant_id, o.order_id FOR UPDATE OF o
        """,
        (integers([key[0] for key in references]), texts([key[1] for key in references]), source),
    )
    return {row[17]: order_of(cipher, row) for row in await cursor.fetchall()}


async def holds_of(tx: Transaction, keys: Sequence[tuple[int, int]]) -> dict[int, Holds]:
    """The holds of orders by merchant and id; by order id."""
    cursor = await tx.connection.execute(
        """
        SELECT o.order_id, o.amount_hold_id, o.fee_hold_id
        FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, order_id) JOIN virtual_account_orders o
            USING (merchant_id, order_id)
        """,
        (integers([key[0] for key in keys]), integers([key[1] for key in keys])),
    )
    return {order_id: Holds(amount, fee) for order_id, amount, fee in await cursor.fetchall()}


async def find(
    tx: Transaction,
    cipher: Cipher,
    merchant_id: int,
    *,
    order_id: int | None = None,
    merchant_order_id: str | None = None,
) -> Order | None:
    """An order by our id or by the merchant's."""
    condition = "o.order_id = %s" if order_id is not None else "o.merchant_order_id = %s"
    cursor = await tx.connection.execute(
        f"SELECT {COLUMNS} FROM virtual_account_orders o WHERE o.merchant_id = %s AND {condition}",
        (merchant_id, merchant_order_id if order_id is None else order_id),
    )
    row = await cursor.fetchone()
    return None if row is None else order_of(cipher, row)


async def lock_refundable(
    tx: Transaction, cipher: Cipher, merchant_id: int, account_id: int, asset: Asset, limit: int = 200
) -> list[tuple[Order, bytes]]:
    """Pay-ins of an account of which something is left to refund, newest first, held, each with its payer's digest."""
    cursor = await tx.connection.execute(
        f"""
        SELECT o.party_digest, {COLUMNS} FROM virtual_account_orders o
        WHERE o.merchant_id = %s AND o.account_id = %s AND o.order_type = 'PAYIN' AND o.status = 'SUCCESS'
          AND o.currency = %s AND o.refunded < o.amount AND o.held_in IS NULL
        ORDER BY o.order_id DESC LIMIT %s FOR UPDATE OF o
        """,
        (merchant_id, account_id, asset.currency, limit),
    )
    return [(order_of(cipher, row[1:]), bytes(row[0] or b"")) for row in await cursor.fetchall()]


async def has_open(tx: Transaction, merchant_id: int, account_id: int) -> bool:
    """Whether an account has orders that have not ended."""
    cursor = await tx.connection.execute(
        """
        SELECT EXISTS (SELECT FROM virtual_account_orders
                       WHERE merchant_id = %s AND account_id = %s AND completed_at IS NULL)
        """,
        (merchant_id, account_id),
    )
    (row,) = await cursor.fetchall()
    return bool(row[0])


async def lock_open(
    tx: Transaction, cipher: Cipher, kinds: Sequence[OrderType], status: Status, limit: int = 500
) -> list[Order]:
    """Orders in a state in which they have not ended, oldest first; those that another worker holds are left to it."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM virtual_account_orders o
        WHERE o.order_type = ANY(%s) AND o.status = %s AND o.completed_at IS NULL
        ORDER BY o.order_id LIMIT %s FOR UPDATE OF o SKIP LOCKED
        """,
        (list(kinds), status, limit),
    )
    return [order_of(cipher, row) for row in await cursor.fetchall()]


async def lock_releasable(tx: Transaction, cipher: Cipher, limit: int) -> list[Order]:
    """Orders ON_HOLD whose account is not restricted any more, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM virtual_account_orders o
        JOIN virtual_accounts a ON a.merchant_id = o.merchant_id AND a.account_id = o.account_id
        WHERE o.order_type = 'PAYIN' AND o.status = 'ON_HOLD' AND o.completed_at IS NULL AND a.status <> 'RESTRICTED'
        ORDER BY o.order_id LIMIT %s FOR UPDATE OF o SKIP LOCKED
        """,
        (limit,),
    )
    return [order_of(cipher, row) for row in await cursor.fetchall()]


async def lock_overdue(tx: Transaction, cipher: Cipher, now: datetime, limit: int) -> list[Order]:
    """Orders ON_HOLD whose time is over, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM virtual_account_orders o
        WHERE o.status = 'ON_HOLD' AND o.due_at < %s ORDER BY o.due_at LIMIT %s FOR UPDATE OF o SKIP LOCKED
        """,
        (now, limit),
    )
    return [order_of(cipher, row) for row in await cursor.fetchall()]


async def page(
    tx: Transaction,
    cipher: Cipher,
    merchant_id: int,
    filters: OrderFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[Order]]:
    """How many orders match, and a page of them, newest first."""
    where = " AND ".join(["o.merchant_id = %(merchant_id)s", *(sql for sql, given in _conditions(filters) if given)])
    parameters = {
        "merchant_id": merchant_id,
        "order_id": filters.order_id,
        "reference": filters.merchant_order_id,
        "account_id": filters.account_id,
        "sub_user_id": filters.sub_user_id,
        "type": filters.order_type,
        "currency": filters.currency,
        "status": filters.status,
        "start": filters.start,
        "end": filters.end,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM virtual_account_orders o WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND o.order_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM virtual_account_orders o WHERE {where}{keyset}
        ORDER BY o.order_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [order_of(cipher, row) for row in await cursor.fetchall()]


def _conditions(filters: OrderFilter) -> list[tuple[str, bool]]:
    return [
        ("o.order_id = %(order_id)s", filters.order_id is not None),
        ("o.merchant_order_id = %(reference)s", filters.merchant_order_id is not None),
        ("o.account_id = %(account_id)s", filters.account_id is not None),
        (
            (
                "o.account_id IN (SELECT a.account_id FROM virtual_accounts a"
                " WHERE a.merchant_id = %(merchant_id)s AND a.sub_user_id = %(sub_user_id)s)"
            ),
            filters.sub_user_id is not None,
        ),
        ("o.order_type = %(type)s", filters.order_type is not None),
        ("o.currency = %(currency)s", filters.currency is not None),
        ("o.status = %(status)s", filters.status is not None),
        ("o.created_at >= %(start)s", filters.start is not None),
        ("o.created_at < %(end)s", filters.end is not None),
    ]
