"""All SQL of the simulated bank's books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection, Rollback
from pydantic import TypeAdapter

from bpn.ports.readers import (
    AccountNumbers,
    BankEntry,
    Handle,
    PayIn,
    PayInReversed,
    PaymentReport,
    UnreadableEntry,
)
from bpn.ports.senders import AccountOpening, OpeningState, Payment

Connection = AsyncConnection[tuple[Any, ...]]

_ENTRY_KINDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind) for kind in (PayIn, PayInReversed, PaymentReport, UnreadableEntry)
}
_NUMBERS = TypeAdapter(AccountNumbers)


@dataclass(frozen=True, slots=True)
class Booking:
    """An entry to tell: when, how often, whether only after the next one, and what it does to the balance."""

    entry: PayIn | PayInReversed | PaymentReport
    signed_amount: Decimal
    due_at: datetime
    times: int = 1
    waits: bool = False


async def take_role(connection: Connection) -> None:
    """Go on as the role that all processes have: it may change the books, and no table's shape."""
    await connection.execute("SELECT set_config('role', 'bpn_application', false)")


async def take_lever(connection: Connection, name: str) -> str | None:
    """What a lever was pulled to; it springs back."""
    cursor = await connection.execute("DELETE FROM simulated_bank.levers WHERE name = %s RETURNING value", (name,))
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def read_lever(connection: Connection, name: str) -> str | None:
    """What a lever stands at."""
    cursor = await connection.execute("SELECT value FROM simulated_bank.levers WHERE name = %s", (name,))
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def pull_lever(connection: Connection, name: str, value: str) -> None:
    """Pull a lever."""
    await connection.execute(
        "INSERT INTO simulated_bank.levers (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


async def book(connection: Connection, bookings: Sequence[Booking]) -> None:
    """Add entries with what is to be told of them. One that waited for the next is let go after the last of these."""
    await connection.execute(
        """
        INSERT INTO simulated_bank.entries (reference, kind, currency, amount, booked_at, body)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::numeric[], %s::timestamptz[], %s::text[])
        """,
        (
            [booking.entry.reference for booking in bookings],
            [type(booking.entry).__name__ for booking in bookings],
            [booking.entry.currency for booking in bookings],
            [booking.signed_amount for booking in bookings],
            [booking.entry.booked_at for booking in bookings],
            [_ENTRY_KINDS[type(one.entry).__name__].dump_json(one.entry).decode() for one in bookings],
        ),
    )
    told = [booking for booking in bookings for _ in range(booking.times)]
    cursor = await connection.execute(
        """
        INSERT INTO simulated_bank.deliveries (due_at, reference, waits)
        SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::boolean[])
        RETURNING delivery_id
        """,
        ([one.due_at for one in told], [one.entry.reference for one in told], [one.waits for one in told]),
    )
    first = min(row[0] for row in await cursor.fetchall())
    await connection.execute(
        """
        UPDATE simulated_bank.deliveries
        SET waits = false, due_at = %s, position = nextval('simulated_bank.delivery_positions')
        WHERE waits AND delivery_id < %s
        """,
        (max(one.due_at for one in told), first),
    )


async def due(connection: Connection, now: datetime, limit: int) -> list[tuple[int, BankEntry]]:
    """What is to be told by now, in order, with the delivery's id."""
    cursor = await connection.execute(
        """
        SELECT d.delivery_id, e.kind, e.body
        FROM simulated_bank.deliveries d JOIN simulated_bank.entries e USING (reference)
        WHERE d.due_at <= %s ORDER BY d.due_at, d.position LIMIT %s
        """,
        (now, limit),
    )
    return [(row[0], _ENTRY_KINDS[row[1]].validate_json(row[2])) for row in await cursor.fetchall()]


async def forget_deliveries(connection: Connection, delivery_ids: Sequence[int]) -> None:
    """These are acknowledged."""
    await connection.execute("DELETE FROM simulated_bank.deliveries WHERE delivery_id = ANY(%s)", (list(delivery_ids),))


async def find_pay_in(connection: Connection, reference: str) -> PayIn | None:
    """A pay-in by its reference."""
    cursor = await connection.execute(
        "SELECT body FROM simulated_bank.entries WHERE reference = %s AND kind = 'PayIn'", (reference,)
    )
    row = await cursor.fetchone()
    found: PayIn | None = None if row is None else _ENTRY_KINDS["PayIn"].validate_json(row[0])
    return found


async def booked(connection: Connection, now: datetime) -> dict[str, Decimal]:
    """By currency, the sum of all that is booked by now."""
    cursor = await connection.execute(
        "SELECT currency, sum(amount) FROM simulated_bank.entries WHERE booked_at <= %s GROUP BY currency", (now,)
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def receive_payments(
    connection: Connection, batch_id: str, payments: Sequence[Payment], now: datetime
) -> set[str]:
    """Note payments; the end-to-end ids of those that were not known."""
    cursor = await connection.execute(
        """
        INSERT INTO simulated_bank.payments (end_to_end_id, batch_id, currency, amount, received_at)
        SELECT id, %s, currency, amount, %s FROM unnest(%s::text[], %s::text[], %s::numeric[]) g(id, currency, amount)
        ON CONFLICT (end_to_end_id) DO NOTHING
        RETURNING end_to_end_id
        """,
        (
            batch_id,
            now,
            [payment.end_to_end_id for payment in payments],
            [payment.currency for payment in payments],
            [Decimal(payment.amount) for payment in payments],
        ),
    )
    return {row[0] for row in await cursor.fetchall()}


async def next_account_number(connection: Connection) -> int:
    """A number that no account had."""
    cursor = await connection.execute("SELECT nextval('simulated_bank.account_numbers')")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def claim_handles(connection: Connection, request_id: str, handles: Sequence[Handle]) -> bool:
    """Make numbers those of an account, all or none; False when another has one of them."""
    async with connection.transaction() as savepoint:
        cursor = await connection.execute(
            """
            INSERT INTO simulated_bank.handles (kind, value, request_id)
            SELECT kind, value, %s FROM unnest(%s::text[], %s::text[]) g(kind, value)
            ON CONFLICT (kind, value) DO NOTHING
            """,
            (request_id, [handle.kind.value for handle in handles], [handle.value for handle in handles]),
        )
        if cursor.rowcount < len(handles):
            raise Rollback(savepoint)
    return cursor.rowcount == len(handles)


async def find_opening(connection: Connection, request_id: str, now: datetime) -> AccountOpening | None:
    """How a request stands; one that is not ready by now is PENDING."""
    cursor = await connection.execute(
        "SELECT state, numbers, fail_reason, ready_at FROM simulated_bank.accounts WHERE request_id = %s",
        (request_id,),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    state, numbers, fail_reason, ready_at = row
    if ready_at > now:
        return AccountOpening(OpeningState.PENDING)
    if state == OpeningState.FAILED.value:
        return AccountOpening(OpeningState.FAILED, None, "REFUSED", fail_reason)
    return AccountOpening(OpeningState.OPEN, _NUMBERS.validate_json(numbers))


async def insert_account(
    connection: Connection, request_id: str, numbers: AccountNumbers | None, fail_reason: str | None, ready_at: datetime
) -> None:
    """Add an account: with numbers, or refused with a reason."""
    await connection.execute(
        """
        INSERT INTO simulated_bank.accounts (request_id, state, numbers, fail_reason, ready_at)
        VALUES (%s, %s, %s, %s, %s)
        """,
        (
            request_id,
            (OpeningState.FAILED if numbers is None else OpeningState.OPEN).value,
            None if numbers is None else _NUMBERS.dump_json(numbers).decode(),
            fail_reason,
            ready_at,
        ),
    )


async def close_account(connection: Connection, request_id: str, now: datetime) -> None:
    """Close an account that is not closed yet."""
    await connection.execute(
        "UPDATE simulated_bank.accounts SET closed_at = %s WHERE request_id = %s AND closed_at IS NULL",
        (now, request_id),
    )
