"""Controls in the database: versions that only grow, two people, limits under parallel load, and the kept copy."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.controls import operations as controls
from bpn.controls.errors import LimitExceeded, SecondPersonRequired, ServicePaused
from bpn.controls.model import (
    ALL_MERCHANTS,
    INVOICE_ABOVE,
    FeeTerms,
    Kind,
    Limit,
    Operation,
    Scope,
)
from bpn.controls.operations import Controls
from bpn.database.pool import Database
from bpn.kernel.clock import Clock
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import Money
from conftest import USDC, USDT, open_database

ANA, BEA = Decision(True, "ana", "as agreed"), Decision(True, "bea", "checked")
MERCHANT = 7


def usdt(text: str) -> Money:
    return Money.parse(text, USDT)


async def take(database: Database, text: str, merchant_id: int = MERCHANT) -> bool:
    try:
        async with database.transaction() as tx:
            await controls.take_limit(tx, merchant_id, Operation.WITHDRAWAL, usdt(text))
            await asyncio.sleep(0.01)
    except LimitExceeded:
        return False
    return True


async def test_what_is_set_holds_and_its_history_is_kept_and_audited(database: Database) -> None:
    async with database.transaction() as tx:
        await controls.set_fee(tx, ANA, Operation.WITHDRAWAL, FeeTerms(Decimal(1)))
        await controls.set_fee(tx, BEA, Operation.WITHDRAWAL, FeeTerms(bps=50), scope=Scope(MERCHANT, "USDT"))
        await controls.set_merchant_setting(tx, ANA, INVOICE_ABOVE, Decimal("99.5"), merchant_id=MERCHANT)
    async with database.reading() as tx:
        assert str(await controls.fee(tx, MERCHANT, Operation.WITHDRAWAL, usdt("100"))) == "0.5"
        assert str(await controls.fee(tx, 8, Operation.WITHDRAWAL, usdt("100"))) == "1"
        assert await controls.merchant_setting(tx, MERCHANT, INVOICE_ABOVE) == Decimal("99.5")
        assert await controls.merchant_setting(tx, 8, INVOICE_ABOVE) is None
        kept = await controls.history(tx, Kind.FEE)
        assert [(one.scope.merchant_id, one.maker, one.reason) for one in kept] == [
            (MERCHANT, "bea", "checked"),
            (ALL_MERCHANTS, "ana", "as agreed"),
        ]
        entries = await audit.list_entries(tx)
    assert [(entry.action, entry.actor, entry.after) for entry in reversed(entries)] == [
        ("fee.set", "ana", "flat 1, bps 0"),
        ("fee.set", "bea", "flat 0, bps 50"),
        ("setting.set", "ana", "value 99.5"),
    ]
    assert entries[1].before == "WITHDRAWAL, USDT of merchant 7: nothing"


async def test_a_change_may_come_later_and_never_before(database_url: str) -> None:
    clock = Clock()
    async with open_database(database_url, clock=clock) as database:
        async with database.transaction() as tx:
            later = tx.now + timedelta(days=3)
            await controls.set_fee(tx, ANA, Operation.PAYOUT, FeeTerms(Decimal(2)), valid_from=later)
            with pytest.raises(InvalidRequest):
                await controls.set_fee(
                    tx, ANA, Operation.PAYOUT, FeeTerms(Decimal(2)), valid_from=tx.now - timedelta(seconds=1)
                )
        async with database.reading() as tx:
            assert str(await controls.fee(tx, MERCHANT, Operation.PAYOUT, usdt("10"))) == "0"
        clock.offset = timedelta(days=3, seconds=1)
        async with database.reading() as tx:
            assert str(await controls.fee(tx, MERCHANT, Operation.PAYOUT, usdt("10"))) == "2"


async def test_what_stands_is_never_changed_or_taken_away(database: Database) -> None:
    async with database.transaction() as tx:
        await controls.set_limit(tx, ANA, Operation.PAYOUT, Limit(Decimal(5)))
    for statement in ("UPDATE controls SET maker = 'eve'", "DELETE FROM controls", "TRUNCATE controls"):
        with pytest.raises(psycopg.Error):
            async with database.transaction() as tx:
                await tx.connection.execute(statement)  # type: ignore[arg-type]


async def test_a_loose_limit_waits_for_a_second_person(database: Database) -> None:
    async def ask(decision: Decision, per_day: str) -> bool:
        async with database.transaction() as tx:
            limit = Limit(per_day=Decimal(per_day))
            made = await controls.set_limit(
                tx, decision, Operation.WITHDRAWAL, limit, second_person_above=Decimal(100)
            )  # fmt: skip
        return not made.proposal

    assert await ask(ANA, "50")
    assert not await ask(ANA, "500")
    assert not await take(database, "60")
    with pytest.raises(SecondPersonRequired):
        await ask(ANA, "500")
    assert not await ask(BEA, "501"), "another proposal, not a second word for the first"
    assert await ask(ANA, "501")
    assert await take(database, "60")
    async with database.reading() as tx:
        (newest, *_) = await controls.history(tx, Kind.LIMIT)
    assert (newest.maker, newest.checker) == ("bea", "ana")
    assert not await ask(ANA, "501"), "what was confirmed once confirms nothing again"


async def test_switching_off_is_at_once_and_switching_on_takes_two(database: Database) -> None:
    async def switch(actor: str, *, paused: bool) -> None:
        async with database.transaction() as tx:
            await controls.set_pause(
                tx, Decision(paused, actor), Operation.PAYOUT, second_person_above=Decimal(1)
            )  # fmt: skip

    async def require_running() -> None:
        async with database.reading() as tx:
            await controls.require_running(tx, MERCHANT, Operation.PAYOUT, USDT)

    await require_running()
    await switch("ana", paused=True)
    with pytest.raises(ServicePaused, match="PAYOUT"):
        await require_running()
    await switch("ana", paused=False)
    with pytest.raises(ServicePaused):
        await require_running()
    await switch("bea", paused=False)
    await require_running()


class TestLimits:
    @pytest.fixture(autouse=True)
    async def limit(self, database: Database) -> None:
        async with database.transaction() as tx:
            limit = Limit(Decimal(50), Decimal(100))
            await controls.set_limit(tx, ANA, Operation.WITHDRAWAL, limit, scope=Scope(ALL_MERCHANTS, "USDT"))

    async def test_more_at_once_is_refused(self, database: Database) -> None:
        async with database.transaction() as tx:
            with pytest.raises(LimitExceeded, match="at most 50 USDT"):
                await controls.take_limit(tx, MERCHANT, Operation.WITHDRAWAL, usdt("50.000000000000000001"))
        assert await take(database, "50")

    async def test_of_parallel_requests_no_two_pass_together(self, database: Database) -> None:
        passed = await asyncio.gather(*(take(database, "30") for _ in range(8)))
        assert passed.count(True) == 3
        assert await take(database, "10")
        assert not await take(database, "0.000000000000000001")

    async def test_each_merchant_and_each_currency_counts_alone_and_networks_count_together(
        self, database: Database
    ) -> None:
        elsewhere = Money.parse("45", USDT)
        assert await take(database, "45")
        assert await take(database, "50")
        assert await take(database, "50", merchant_id=8)
        async with database.transaction() as tx:
            await controls.take_limit(tx, MERCHANT, Operation.WITHDRAWAL, Money.parse("45", USDC))
            with pytest.raises(LimitExceeded, match="95 USDT are used"):
                await controls.take_limit(tx, MERCHANT, Operation.WITHDRAWAL, elsewhere)
            used = {str(scope): used for scope, used in await controls.list_uses(tx, MERCHANT, Operation.WITHDRAWAL)}
        assert used == {
            "USDT of merchant 7": 95,
            "USDT@BSC of merchant 7": 95,
            "USDC of merchant 7": 45,
            "USDC@ETH of merchant 7": 45,
        }

    async def test_a_refusal_counts_nothing_even_where_the_caller_goes_on(self, database: Database) -> None:
        async with database.transaction() as tx:
            await controls.take_limit(tx, MERCHANT, Operation.WITHDRAWAL, usdt("50"))
            await controls.take_limit(tx, MERCHANT, Operation.WITHDRAWAL, usdt("40"))
            for _ in range(3):
                with pytest.raises(LimitExceeded):
                    await controls.take_limit(tx, MERCHANT, Operation.WITHDRAWAL, usdt("20"))
            await controls.take_limit(tx, MERCHANT, Operation.WITHDRAWAL, usdt("10"))

    async def test_what_failed_is_given_back_to_its_day(self, database: Database) -> None:
        assert await take(database, "50")
        assert await take(database, "50")
        async with database.transaction() as tx:
            await controls.give_back(tx, MERCHANT, Operation.WITHDRAWAL, usdt("50"), tx.now - timedelta(days=1))
        assert not await take(database, "1"), "given back to yesterday"
        async with database.transaction() as tx:
            await controls.give_back(tx, MERCHANT, Operation.WITHDRAWAL, usdt("50"), tx.now)
        assert await take(database, "50")

    async def test_a_new_day_begins_anew(self, database_url: str) -> None:
        clock = Clock()
        async with open_database(database_url, clock=clock, node=2) as database:
            assert await take(database, "50")
            assert await take(database, "50")
            assert not await take(database, "1")
            clock.offset = timedelta(days=1)
            assert await take(database, "50")

    async def test_the_asset_comes_before_its_currency_and_the_merchant_before_all(self, database: Database) -> None:
        async with database.transaction() as tx:
            await controls.set_limit(
                tx, ANA, Operation.WITHDRAWAL, Limit(per_day=Decimal(1000)), scope=Scope(MERCHANT, "USDT", "BSC")
            )
        assert await take(database, "900")
        assert not await take(database, "900", merchant_id=8)


class Hearing:
    """Whether a process hears of changes, as a test says."""

    def __init__(self) -> None:
        self.now = True

    def __call__(self) -> bool:
        return self.now


async def test_the_copy_in_memory_costs_no_statement_and_is_not_trusted_when_deaf(database: Database) -> None:
    hears = Hearing()
    kept = Controls(database, hears)
    await kept.refresh("")

    async def pause(*, paused: bool) -> None:
        async with database.transaction() as tx:
            await controls.set_pause(tx, Decision(paused, "ana"), Operation.ORDER)

    async def runs() -> bool:
        async with database.reading() as tx:
            return (await kept.view(tx)).is_running(MERCHANT, Operation.ORDER, USDT)

    await pause(paused=True)
    assert await runs(), "from memory: nobody has told it yet"
    hears.now = False
    assert not await runs(), "deaf, it asks the database"
    hears.now = True
    await kept.refresh("")
    assert not await runs()
    await pause(paused=False)
    await kept.refresh("")
    assert await runs()


@pytest.mark.parametrize("scope", [Scope(ALL_MERCHANTS, None, "BSC")])
async def test_a_network_without_a_currency_has_pauses_only(database: Database, scope: Scope) -> None:
    async with database.transaction() as tx:
        await controls.set_pause(tx, ANA, None, scope=scope)
        with pytest.raises(InvalidRequest):
            await controls.set_limit(tx, ANA, Operation.PAYOUT, Limit(Decimal(1)), scope=scope)
