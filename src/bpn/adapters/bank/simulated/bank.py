"""The simulated bank behind all ports of a bank: opens accounts, pays, tells what was booked, and has levers."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bpn.adapters.bank.simulated import store
from bpn.adapters.bank.simulated.numbering import ISPB, number_account
from bpn.adapters.bank.simulated.store import Booking, Connection
from bpn.kernel.clock import Clock
from bpn.ports.readers import (
    AccountNumbers,
    BankBatch,
    HandleKind,
    PayIn,
    PayInReversed,
    PaymentOutcome,
    PaymentReport,
    SourceUnavailableError,
)
from bpn.ports.senders import AccountOpening, AccountRequest, OpeningState, Payment, PaymentBatch
from bpn.ports.simulation import MockPayIn

SOURCE = "SIMULATED"
FAILING_AMOUNT = Decimal("0.66")
RETURNING_AMOUNT = Decimal("0.67")
_ACCOUNT_CLOSED = "AC04"
_ACCOUNT_BLOCKED = "AC06"
_RECALLED = "FOCR"
_REASONS = {
    _ACCOUNT_CLOSED: "The account is closed.",
    _ACCOUNT_BLOCKED: "The account is blocked.",
    _RECALLED: "The payer's bank asks for it back.",
}
_LONGEST_WAIT = timedelta(minutes=1)
_TRIES_FOR_A_NUMBER = 5


class SimulatedBank:
    """A bank that lives in the schema `simulated_bank`; any number of processes may hold one.

    Args:
        url: of the database.
        clock: its business time is the bank's time.
        opening_balances: by currency, what our accounts there begin with.
        settle_seconds: from a payment's receipt to its settlement, and again to its return.
    """

    source = SOURCE

    def __init__(
        self, url: str, clock: Clock, opening_balances: Mapping[str, Decimal], *, settle_seconds: float = 0
    ) -> None:
        self._clock = clock
        self._opening_balances = dict(opening_balances)
        self._settles_after = timedelta(seconds=settle_seconds)
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=0,
            max_size=4,
            open=False,
            kwargs={"autocommit": True},
            configure=store.take_role,
            name="simulated-bank",
        )

    async def start(self) -> None:
        """Connect."""
        await self._pool.open(wait=True)

    async def stop(self) -> None:
        """Give the connections back."""
        await self._pool.close()

    @asynccontextmanager
    async def _books(self, *, silent: bool = True) -> AsyncIterator[Connection]:
        """A transaction on the bank's books; `silent` is whether the bank may refuse to answer."""
        try:
            async with self._pool.connection() as connection, connection.transaction():
                until = await store.read_lever(connection, "silent_until") if silent else None
                if until is not None and datetime.fromisoformat(until) > self._clock.wall():
                    raise SourceUnavailableError("the simulated bank is silent")
                yield connection
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise SourceUnavailableError(f"the simulated bank's books: {error}") from error

    # What a bank tells.

    async def read(self, limit: int) -> BankBatch | None:
        """See BankReader."""
        async with self._books() as connection:
            found = await store.due(connection, self._clock.now(), limit + 1)
        if not found:
            return None
        told = found[:limit]
        receipt = ",".join(str(delivery_id) for delivery_id, _ in told)
        return BankBatch(tuple(entry for _, entry in told), receipt, more=len(found) > limit)

    async def acknowledge(self, receipt: str) -> None:
        """See BankReader."""
        async with self._books() as connection:
            await store.forget_deliveries(connection, [int(delivery_id) for delivery_id in receipt.split(",")])

    async def balances(self) -> dict[str, str]:
        """See BankReader."""
        async with self._books() as connection:
            booked = await store.booked(connection, self._clock.now())
        return {
            currency: format(self._opening_balances.get(currency, Decimal(0)) + booked.get(currency, Decimal(0)), "f")
            for currency in sorted({*self._opening_balances, *booked})
        }

    # What a bank does for us.

    async def pay(self, batch: PaymentBatch) -> None:
        """See BankSender."""
        now = self._clock.now()
        async with self._books() as connection:
            new = await store.receive_payments(connection, batch.batch_id, batch.payments, now)
            if not new:
                return
            late = await self._lateness(connection)
            for payment in batch.payments:
                if payment.end_to_end_id in new:
                    await store.book(connection, await self._fate(connection, payment, now, late))

    async def _fate(self, connection: Connection, payment: Payment, now: datetime, late: timedelta) -> list[Booking]:
        """All that will be told of a payment."""
        cents = Decimal(payment.amount) % 1
        failing = await store.take_lever(connection, "fail_next_payout")
        returning = None if failing else await store.take_lever(connection, "return_next_payout")
        failing = failing or (_ACCOUNT_CLOSED if cents == FAILING_AMOUNT else None)
        returning = returning or (_ACCOUNT_BLOCKED if cents == RETURNING_AMOUNT else None)
        settled_at = now + self._settles_after
        stages: list[tuple[PaymentOutcome, datetime, str | None, int]] = [(PaymentOutcome.ACCEPTED, now, None, 0)]
        if failing is not None:
            stages.append((PaymentOutcome.REJECTED, settled_at, failing, 0))
        else:
            stages.append((PaymentOutcome.SETTLED, settled_at, None, -1))
        if failing is None and returning is not None:
            stages.append((PaymentOutcome.RETURNED, settled_at + self._settles_after, returning, 1))
        times = int(await store.take_lever(connection, "repeat_next") or 1)
        bookings = [
            Booking(
                PaymentReport(
                    reference=f"{payment.end_to_end_id}/{outcome.value}",
                    end_to_end_id=payment.end_to_end_id,
                    outcome=outcome,
                    currency=payment.currency,
                    amount=payment.amount,
                    reason_code=reason,
                    reason=None if reason is None else _REASONS.get(reason, "The payee's bank refused it."),
                    rail_reference=_rail_reference(payment.rail, now),
                    booked_at=at,
                ),
                sign * Decimal(payment.amount),
                at + late,
                times,
            )
            for outcome, at, reason, sign in stages
        ]
        if await store.take_lever(connection, "reverse_next_payout"):
            last = bookings[-1].due_at
            bookings = [replace(booking, due_at=last) for booking in reversed(bookings)]
        return bookings

    async def open(self, request: AccountRequest) -> AccountOpening:
        """See AccountIssuer."""
        now = self._clock.now()
        async with self._books() as connection:
            known = await store.find_opening(connection, request.request_id, now)
            if known is not None:
                return known
            ready_at = now + await self._lateness(connection)
            reason = await store.take_lever(connection, "fail_next_opening")
            try:
                async with connection.transaction():
                    numbers = None if reason else await self._numbers(connection, request)
                    reason = reason or (None if numbers else "The PIX key belongs to another account.")
                    await store.insert_account(connection, request.request_id, numbers, reason, ready_at)
            except psycopg.errors.UniqueViolation:
                # Another worker asked for the same account in this moment.
                return AccountOpening(OpeningState.PENDING)
            return await store.find_opening(connection, request.request_id, now) or AccountOpening(OpeningState.PENDING)

    async def _numbers(self, connection: Connection, request: AccountRequest) -> AccountNumbers | None:
        """Numbers that no other account has; None when a PIX key wished for is taken."""
        for _ in range(1 if request.pix_key else _TRIES_FOR_A_NUMBER):
            numbers = number_account(request, await store.next_account_number(connection))
            if await store.claim_handles(connection, request.request_id, numbers.handles):
                return numbers
        return None

    async def close(self, request_id: str) -> None:
        """See AccountIssuer."""
        async with self._books() as connection:
            await store.close_account(connection, request_id, self._clock.now())

    # The levers.

    async def pay_in(self, payments: Sequence[MockPayIn]) -> list[str]:
        """See SandboxBank."""
        now = self._clock.now()
        async with self._books(silent=False) as connection:
            late = await self._lateness(connection)
            repeated = int(await store.take_lever(connection, "repeat_next") or 1)
            bookings = []
            for place, payment in enumerate(payments):
                at = now + timedelta(seconds=payment.delay_seconds)
                pix = payment.handle.kind in {HandleKind.PIX_KEY, HandleKind.PIX_TXID}
                entry = PayIn(
                    reference=f"in-{uuid.uuid4().hex}",
                    handles=(payment.handle,),
                    currency=payment.currency,
                    amount=payment.amount,
                    payer=payment.payer,
                    remittance=payment.remittance,
                    end_to_end_id=_rail_reference("PIX", now) if pix else None,
                    booked_at=at,
                )
                bookings.append(
                    Booking(
                        entry,
                        Decimal(payment.amount),
                        at + late + (_LONGEST_WAIT if payment.after_next else timedelta(0)),
                        max(payment.times, repeated if place == 0 else 1),
                        payment.after_next,
                    )
                )
            await store.book(connection, bookings)
        return [booking.entry.reference for booking in bookings]

    async def reverse_pay_in(self, reference: str) -> None:
        """See SandboxBank."""
        now = self._clock.now()
        async with self._books(silent=False) as connection:
            pay_in = await store.find_pay_in(connection, reference)
            if pay_in is None:
                return
            entry = PayInReversed(
                reference=f"{reference}/reversed",
                pay_in_reference=reference,
                end_to_end_id=pay_in.end_to_end_id,
                currency=pay_in.currency,
                amount=pay_in.amount,
                reason_code=_RECALLED,
                reason=_REASONS[_RECALLED],
                booked_at=now,
            )
            await store.book(
                connection, [Booking(entry, -Decimal(pay_in.amount), now + await self._lateness(connection))]
            )

    async def fail_next_payout(self, reason_code: str = _ACCOUNT_CLOSED) -> None:
        """See SandboxBank."""
        await self._pull("fail_next_payout", reason_code)

    async def return_next_payout(self, reason_code: str = _ACCOUNT_BLOCKED) -> None:
        """See SandboxBank."""
        await self._pull("return_next_payout", reason_code)

    async def be_slow(self, seconds: int) -> None:
        """See SandboxBank."""
        await self._pull("slow", str(seconds))

    async def repeat_next(self, times: int = 2) -> None:
        """See SandboxBank."""
        await self._pull("repeat_next", str(times))

    async def reverse_next_payout(self) -> None:
        """See SandboxBank."""
        await self._pull("reverse_next_payout", "yes")

    async def fail_next_opening(self, reason: str = "The bank does not take this customer.") -> None:
        """See SandboxBank."""
        await self._pull("fail_next_opening", reason)

    async def fall_silent(self, seconds: float) -> None:
        """See SandboxBank."""
        await self._pull("silent_until", (self._clock.wall() + timedelta(seconds=seconds)).isoformat())

    async def _pull(self, lever: str, value: str) -> None:
        async with self._books(silent=False) as connection:
            await store.pull_lever(connection, lever, value)

    async def _lateness(self, connection: Connection) -> timedelta:
        return timedelta(seconds=int(await store.read_lever(connection, "slow") or 0))


def _rail_reference(rail: str, now: datetime) -> str:
    """The rail's own name of a payment; PIX has a form for it."""
    if rail == "PIX":
        return f"E{ISPB}{now:%Y%m%d%H%M}{uuid.uuid4().hex[:11]}"
    return uuid.uuid4().hex
