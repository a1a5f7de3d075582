"""The rate over signed HTTP, and what keeps it true: sources that are silent or lie, an operator's word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.fx import operations
from bpn.chapters.fx.errors import RateNotFound, RateUnavailable
from bpn.chapters.fx.jobs import RateJobs
from bpn.chapters.fx.model import FxTerms, Spread
from bpn.database.pool import Database
from bpn.kernel.errors import InvalidRequest
from bpn.ports.readers import QuotedRate, SourceUnavailableError
from installation import Installation

RATE = "/v1/fx/rate"
TERMS = FxTerms(("USDC", "USD", "EUR", "BRL"), {"TEST": timedelta(minutes=10)}, 500, 30)
YES = Decision(approved=True, actor="ana", reason="because")


class TestRate:
    @pytest.mark.parametrize(
        ("source", "target", "rate"),
        [("USDC", "USD", "1"), ("BRL", "USD", "0.185"), ("EUR", "BRL", "6.27027027027"), ("USDT", "USDC", "1")],
    )
    async def test_fiat_and_stablecoins(self, house: Installation, source: str, target: str, rate: str) -> None:
        merchant = await house.merchant()
        told = await merchant.get(RATE, fromCurrency=source, toCurrency=target)
        assert list(told) == [
            "fromCurrency", "toCurrency", "rate", "inverseRate", "bid", "ask", "spreadBps", "source", "time", "amount",
            "toAmount",
        ]  # fmt: skip
        assert (told["rate"], told["source"], told["spreadBps"]) == (rate, "STATIC", 30)
        assert Decimal(told["bid"]) < Decimal(told["rate"]) < Decimal(told["ask"])
        assert abs(Fraction(told["rate"]) * Fraction(told["inverseRate"]) - 1) < Fraction(1, 10**11)

    async def test_an_amount_is_valued_at_the_bid(self, house: Installation) -> None:
        merchant = await house.merchant()
        told = await merchant.get(RATE, fromCurrency="USDC", toCurrency="USD", amount="1000.5")
        assert (told["bid"], told["toAmount"]) == ("0.997", "997.4985")

    @pytest.mark.parametrize(
        ("query", "status", "code"),
        [
            ({"fromCurrency": "DOGE", "toCurrency": "USD"}, 422, "UNSUPPORTED_CURRENCY"),
            ({"fromCurrency": "USD", "toCurrency": "USD"}, 422, "UNSUPPORTED_CURRENCY"),
            ({"fromCurrency": "USD"}, 400, "INVALID_REQUEST"),
            ({"fromCurrency": "USD", "toCurrency": "EUR", "amount": "-1"}, 400, "INVALID_REQUEST"),
            ({"fromCurrency": "USD", "toCurrency": "EUR", "amount": "1e3"}, 400, "INVALID_REQUEST"),
        ],
    )
    async def test_refuses(self, house: Installation, query: dict[str, object], status: int, code: str) -> None:
        answer = await (await house.merchant()).ask(RATE, **query)
        assert (answer.status, answer.code) == (status, code)

    async def test_a_merchant_has_its_own_spread(self, house: Installation) -> None:
        merchant, other = await house.merchant(), await house.merchant()
        async with house.parts.database.transaction() as tx:
            await operations.set_spread(house.parts.fx_terms, tx, Spread(merchant.merchant_id, "USDC", "SGD", 100), YES)
        query = {"fromCurrency": "USDC", "toCurrency": "SGD"}
        assert (await merchant.get(RATE, **query))["spreadBps"] == 100
        assert (await other.get(RATE, **query))["spreadBps"] == 30

    async def test_advancing_the_clock_does_not_age_static_rates(self, house: Installation) -> None:
        merchant = await house.merchant()
        await merchant.post("/v1/mock/clock/advance", {"seconds": 86_400})
        assert (await merchant.get(RATE, fromCurrency="USD", toCurrency="EUR"))["source"] == "STATIC"


class Source:
    """A source that says what a test tells it."""

    source = "TEST"

    def __init__(self) -> None:
        self.said: list[QuotedRate] | None = []

    async def rates(self, _currencies: object) -> list[QuotedRate]:
        if self.said is None:
            raise SourceUnavailableError("down")
        return self.said

    def say(self, rate: str, age: timedelta = timedelta(0)) -> None:
        self.said = [QuotedRate("EUR", "USD", Decimal(rate), datetime.now(UTC) - age)]


class TestSources:
    async def ask(self, database: Database, source: Source) -> Fraction | None:
        await RateJobs(database.transaction, TERMS, [source]).refresh_rates()
        async with database.reading() as tx:
            try:
                return (await operations.read_prices(TERMS, tx, [])).rate("EUR", "USD").value
            except RateUnavailable:
                return None

    async def history(self, database: Database) -> list[tuple[str, bool]]:
        async with database.reading() as tx:
            cursor = await tx.connection.execute(
                "SELECT rate::text, accepted FROM fx_rate_history ORDER BY recorded_at, rate_time"
            )
            return [(rate, accepted) for rate, accepted in await cursor.fetchall()]

    async def test_a_dead_source_leaves_its_last_rate_until_it_is_too_old(self, database: Database) -> None:
        source = Source()
        source.say("1.16", timedelta(minutes=9))
        assert await self.ask(database, source) == Fraction("1.16")
        source.said = None
        assert await self.ask(database, source) == Fraction("1.16")
        async with database.transaction() as tx:
            await tx.connection.execute("UPDATE fx_rates SET rate_time = rate_time - interval '2 minutes'")
        assert await self.ask(database, source) is None

    async def test_a_source_that_jumps_is_not_believed_until_it_comes_back(self, database: Database) -> None:
        source = Source()
        source.say("1.16")
        await self.ask(database, source)
        source.say("1.276")
        assert await self.ask(database, source) is None, "ten per cent at once"
        assert await self.ask(database, source) is None, "saying it again makes it no truer"
        source.say("1.17")
        assert await self.ask(database, source) == Fraction("1.17")
        assert await self.history(database) == [("1.16", True), ("1.276", False), ("1.17", True)]

    async def test_an_operator_may_accept_a_jump(self, database: Database) -> None:
        source = Source()
        source.say("1.16")
        await self.ask(database, source)
        source.say("1.276")
        await self.ask(database, source)
        async with database.transaction() as tx:
            await operations.accept_rate(tx, "EUR", "USD", "TEST", YES)
            with pytest.raises(RateNotFound):
                await operations.accept_rate(tx, "EUR", "USD", "TEST", YES)
            (entry,) = await audit.list_entries(tx)
        assert (entry.action, entry.before, entry.after) == ("rate.accept", "EUR/USD 1.16", "EUR/USD 1.276")
        source.said = None
        assert await self.ask(database, source) == Fraction("1.276")

    async def test_an_older_rate_never_replaces_a_newer(self, database: Database) -> None:
        source = Source()
        source.say("1.16")
        await self.ask(database, source)
        source.say("1.15", timedelta(minutes=5))
        assert await self.ask(database, source) == Fraction("1.16")

    async def test_an_operators_rate_goes_first_until_it_is_unset(self, database: Database) -> None:
        source = Source()
        source.say("1.16")
        await self.ask(database, source)
        async with database.transaction() as tx:
            await operations.set_rate(TERMS, tx, "USD", "EUR", Decimal("0.5"), YES)
            await operations.set_rate(TERMS, tx, "EUR", "USD", Decimal("2.5"), YES)
        assert await self.ask(database, source) == Fraction("2.5")
        async with database.transaction() as tx:
            await operations.unset_rate(tx, "EUR", "USD", YES)
            with pytest.raises(RateNotFound):
                await operations.unset_rate(tx, "EUR", "USD", YES)
        assert await self.ask(database, source) == Fraction("1.16")

    @pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
    async def test_no_rate_that_is_none(self, database: Database, rate: str) -> None:
        async with database.transaction() as tx:
            with pytest.raises(InvalidRequest):
                await operations.set_rate(TERMS, tx, "USD", "EUR", Decimal(rate), YES)

    async def test_old_history_is_forgotten(self, database: Database) -> None:
        source = Source()
        source.say("1.16")
        await self.ask(database, source)
        async with database.transaction() as tx:
            await tx.connection.execute("UPDATE fx_rate_history SET recorded_at = recorded_at - interval '91 days'")
        await RateJobs(database.transaction, TERMS, [source]).forget_old_rates()
        assert await self.history(database) == []
