"""The sandbox's bank: right numbers, each payment once, and every way of telling things wrongly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from bpn.adapters.bank.simulated.bank import SimulatedBank
from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.banking import numbers
from bpn.banking.br_codes import decode_br_code
from bpn.banking.pix_keys import PixKeyKind, parse_pix_key
from bpn.kernel.clock import Clock
from bpn.ports.readers import (
    BankEntry,
    BankParty,
    Handle,
    HandleKind,
    PayIn,
    PayInReversed,
    PaymentOutcome,
    PaymentReport,
    SourceUnavailableError,
)
from bpn.ports.senders import AccountOpening, AccountRequest, OpeningState, Payment, PaymentBatch
from bpn.ports.simulation import MockPayIn
from conftest import copy_database

BALANCES = {"BRL": Decimal(10_000_000), "EUR": Decimal(10_000_000)}
PAYER = BankParty(name="Ana Sousa", account="12345", bank_code="60746948", country="BR", tax_id="11144477735")
TO_KEY = MockPayIn(Handle(HandleKind.PIX_KEY, "ana@example.com"), "BRL", "10.50", PAYER, "Order 12")
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)


@asynccontextmanager
async def open_bank(url: str, clock: Clock | None = None, *, settle_seconds: float = 0) -> AsyncIterator[SimulatedBank]:
    bank = SimulatedBank(url, clock or Clock(), BALANCES, settle_seconds=settle_seconds)
    await bank.start()
    try:
        yield bank
    finally:
        await bank.stop()


TABLES = ("accounts", "handles", "payments", "entries", "deliveries", "levers")


@pytest.fixture(scope="module")
def shared_url(server: EmbeddedPostgres) -> str:
    return copy_database(server)


@pytest.fixture
def database_url(shared_url: str) -> str:
    """One database for all of these, its bank emptied: making one for each takes longer than the test."""
    with psycopg.connect(shared_url, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"TRUNCATE simulated_bank.{table}")
    return shared_url


@pytest.fixture
async def bank(database_url: str) -> AsyncIterator[SimulatedBank]:
    async with open_bank(database_url) as bank:
        yield bank


async def drain(bank: SimulatedBank, limit: int = 100) -> list[BankEntry]:
    """All that is told now, acknowledged."""
    told: list[BankEntry] = []
    while batch := await bank.read(limit):
        told += batch.entries
        await bank.acknowledge(batch.receipt)
    return told


def payment(reference: str, amount: str = "10.00") -> Payment:
    return Payment(reference, "PIX", "BRL", amount, "Shop", BankParty(name="Bob", pix_key="bob@example.com"))


def batch(*payments: Payment) -> PaymentBatch:
    return PaymentBatch("B1", MIDNIGHT, payments)


async def outcomes(bank: SimulatedBank) -> list[PaymentOutcome]:
    return [entry.outcome for entry in await drain(bank) if isinstance(entry, PaymentReport)]


def request(currency: str, rail: str, **other: object) -> AccountRequest:
    return replace(AccountRequest("A1", currency, None, rail, "Padaria São João"), **other)


def number_of(opening: AccountOpening, name: str) -> str:
    assert opening.state is OpeningState.OPEN
    value = getattr(opening.numbers, name)
    assert isinstance(value, str)
    return value


class TestOpen:
    async def test_numbers_have_right_check_digits(self, bank: SimulatedBank) -> None:
        euro = await bank.open(request("EUR", "SEPA"))
        assert numbers.parse_iban(number_of(euro, "iban")).startswith("DE")
        assert numbers.parse_bic(number_of(euro, "bic"))
        french = await bank.open(request("EUR", "SEPA", request_id="A2", country="FR"))
        assert numbers.parse_iban(number_of(french, "iban")).startswith("FR")
        pound = await bank.open(request("GBP", "FPS", request_id="A3"))
        assert numbers.parse_iban(number_of(pound, "iban"))[8:14] == number_of(pound, "sort_code")
        assert numbers.parse_account_number(number_of(pound, "account_number"), "GB")
        peso = await bank.open(request("MXN", "SPEI", request_id="A4"))
        assert numbers.parse_clabe(number_of(peso, "clabe"))
        dollar = await bank.open(request("USD", "ACH", request_id="A5"))
        assert numbers.parse_routing_number(number_of(dollar, "routing_number"))
        for place, currency in enumerate(("HKD", "SGD", "JPY")):
            local = await bank.open(request(currency, "SWIFT", request_id=f"L{place}"))
            assert numbers.parse_bic(number_of(local, "bic"))
            assert number_of(local, "account_number")

    @pytest.mark.parametrize("kind", list(PixKeyKind))
    async def test_pix_keys_of_every_kind(self, bank: SimulatedBank, kind: PixKeyKind) -> None:
        opening = await bank.open(request("BRL", "PIX", pix_key_type=kind.value))
        key = number_of(opening, "pix_key")
        assert parse_pix_key(key, kind).value == key
        code = decode_br_code(number_of(opening, "pix_code"))
        assert (code.key, code.merchant_name, code.amount) == (key, "Padaria Sao Joao", None)
        assert opening.numbers is not None
        assert opening.numbers.handles == (Handle(HandleKind.PIX_KEY, key),)

    async def test_a_dynamic_code_has_an_amount_and_a_txid(self, bank: SimulatedBank) -> None:
        opening = await bank.open(request("BRL", "PIX", dynamic=True, amount="12.30"))
        code = decode_br_code(number_of(opening, "pix_code"))
        assert (code.key, code.amount) == (None, "12.30")
        txid = number_of(opening, "pix_txid")
        assert code.location is not None
        assert code.location.endswith(txid)
        assert opening.numbers is not None
        assert opening.numbers.handles[0] == Handle(HandleKind.PIX_TXID, txid)

    async def test_the_same_request_is_the_same_account_in_parallel_too(
        self, database_url: str, bank: SimulatedBank
    ) -> None:
        async with open_bank(database_url) as other:
            asked = await asyncio.gather(*(one.open(request("EUR", "SEPA")) for one in (bank, other) * 5))
        final = await bank.open(request("EUR", "SEPA"))
        assert final.state is OpeningState.OPEN
        assert {one.numbers for one in asked if one.state is OpeningState.OPEN} == {final.numbers}

    async def test_a_key_belongs_to_one_account(self, bank: SimulatedBank) -> None:
        wished = request("BRL", "PIX", pix_key_type="EMAIL", pix_key="shop@example.com")
        assert number_of(await bank.open(wished), "pix_key") == "shop@example.com"
        second = await bank.open(replace(wished, request_id="A2"))
        assert second.state is OpeningState.FAILED
        assert second.fail_reason
        assert await bank.open(replace(wished, request_id="A2")) == second

    async def test_levers_refuse_and_delay(self, database_url: str) -> None:
        clock = Clock()
        async with open_bank(database_url, clock) as bank:
            await bank.fail_next_opening("Unknown industry.")
            refused = await bank.open(request("EUR", "SEPA"))
            assert (refused.state, refused.fail_reason) == (OpeningState.FAILED, "Unknown industry.")
            await bank.be_slow(60)
            second = request("EUR", "SEPA", request_id="A2")
            assert (await bank.open(second)).state is OpeningState.PENDING
            clock.offset += timedelta(seconds=61)
            assert (await bank.open(second)).state is OpeningState.OPEN

    async def test_closing_twice_is_harmless(self, bank: SimulatedBank) -> None:
        await bank.open(request("EUR", "SEPA"))
        await bank.close("A1")
        await bank.close("A1")


class TestPay:
    async def test_settles_and_books_once_whatever_is_repeated(self, database_url: str, bank: SimulatedBank) -> None:
        sent = batch(payment("P1"), payment("P2", "5.00"))
        async with open_bank(database_url) as other:
            await asyncio.gather(*(one.pay(sent) for one in (bank, other) * 5))
        told = await drain(bank)
        assert sorted(entry.reference for entry in told) == [
            "P1/accepted", "P1/settled", "P2/accepted", "P2/settled"
        ]  # fmt: skip
        assert Decimal((await bank.balances())["BRL"]) == BALANCES["BRL"] - 15

    @pytest.mark.parametrize(
        ("amount", "expected", "left"),
        [
            ("7.66", [PaymentOutcome.ACCEPTED, PaymentOutcome.REJECTED], "0"),
            ("7.67", [PaymentOutcome.ACCEPTED, PaymentOutcome.SETTLED, PaymentOutcome.RETURNED], "0"),
            ("7.68", [PaymentOutcome.ACCEPTED, PaymentOutcome.SETTLED], "7.68"),
        ],
    )
    async def test_an_amount_decides(
        self, bank: SimulatedBank, amount: str, expected: list[PaymentOutcome], left: str
    ) -> None:
        await bank.pay(batch(payment("P1", amount)))
        told = await drain(bank)
        assert [entry.outcome for entry in told if isinstance(entry, PaymentReport)] == expected
        assert Decimal((await bank.balances())["BRL"]) == BALANCES["BRL"] - Decimal(left)
        last = told[-1]
        assert isinstance(last, PaymentReport)
        assert (last.reason_code is not None) == (last.outcome is not PaymentOutcome.SETTLED)

    async def test_levers_act_on_the_next_payment_only(self, bank: SimulatedBank) -> None:
        await bank.fail_next_payout("AC01")
        await bank.pay(batch(payment("P1"), payment("P2")))
        told = await drain(bank)
        ends = {entry.end_to_end_id: entry for entry in told if isinstance(entry, PaymentReport)}
        assert (ends["P1"].outcome, ends["P1"].reason_code) == (PaymentOutcome.REJECTED, "AC01")
        assert ends["P2"].outcome is PaymentOutcome.SETTLED
        await bank.return_next_payout()
        await bank.pay(PaymentBatch("B2", MIDNIGHT, (payment("P3"),)))
        assert await outcomes(bank) == [PaymentOutcome.ACCEPTED, PaymentOutcome.SETTLED, PaymentOutcome.RETURNED]

    async def test_all_that_happens_can_be_told_backwards_and_twice(self, bank: SimulatedBank) -> None:
        await bank.reverse_next_payout()
        await bank.repeat_next(2)
        await bank.pay(batch(payment("P1", "1.67")))
        assert await outcomes(bank) == [
            outcome
            for outcome in (PaymentOutcome.RETURNED, PaymentOutcome.SETTLED, PaymentOutcome.ACCEPTED)
            for _ in range(2)
        ]

    async def test_settles_when_business_time_has_passed(self, database_url: str) -> None:
        clock = Clock()
        async with open_bank(database_url, clock, settle_seconds=60) as bank:
            await bank.pay(batch(payment("P1", "1.67")))
            assert await outcomes(bank) == [PaymentOutcome.ACCEPTED]
            clock.offset += timedelta(seconds=61)
            assert await outcomes(bank) == [PaymentOutcome.SETTLED]
            assert Decimal((await bank.balances())["BRL"]) == BALANCES["BRL"] - Decimal("1.67")
            clock.offset += timedelta(seconds=61)
            assert await outcomes(bank) == [PaymentOutcome.RETURNED]


class TestPayIn:
    async def test_is_told_until_it_is_acknowledged_to_any_process(
        self, database_url: str, bank: SimulatedBank
    ) -> None:
        (reference,) = await bank.pay_in([TO_KEY])
        async with open_bank(database_url) as other:
            first, second = await asyncio.gather(bank.read(10), other.read(10))
        assert first is not None
        assert first == second
        (entry,) = first.entries
        assert isinstance(entry, PayIn)
        assert (entry.reference, entry.amount, entry.payer, entry.remittance) == (reference, "10.50", PAYER, "Order 12")
        assert entry.end_to_end_id is not None
        assert len(entry.end_to_end_id) == 32
        await bank.acknowledge(first.receipt)
        await bank.acknowledge(first.receipt)
        assert await bank.read(10) is None
        assert Decimal((await bank.balances())["BRL"]) == BALANCES["BRL"] + Decimal("10.50")

    async def test_batches_are_bounded_and_lose_nothing(self, bank: SimulatedBank) -> None:
        references = await bank.pay_in([replace(TO_KEY, amount=f"{place}.00") for place in range(1, 24)])
        first = await bank.read(10)
        assert first is not None
        assert (len(first.entries), first.more) == (10, True)
        assert [entry.reference for entry in await drain(bank, 10)] == references

    async def test_later_twice_and_out_of_order(self, database_url: str) -> None:
        clock = Clock()
        async with open_bank(database_url, clock) as bank:
            (late,) = await bank.pay_in([replace(TO_KEY, delay_seconds=60)])
            assert await bank.read(10) is None
            (waiting,) = await bank.pay_in([replace(TO_KEY, after_next=True)])
            assert await bank.read(10) is None
            (twice,) = await bank.pay_in([replace(TO_KEY, times=2)])
            assert [entry.reference for entry in await drain(bank)] == [twice, twice, waiting]
            await bank.repeat_next(3)
            (thrice, once) = await bank.pay_in([TO_KEY, TO_KEY])
            assert [entry.reference for entry in await drain(bank)] == [thrice] * 3 + [once]
            clock.offset += timedelta(seconds=61)
            assert [entry.reference for entry in await drain(bank)] == [late]
            await bank.pay_in([replace(TO_KEY, after_next=True)])
            clock.offset += timedelta(seconds=61)
            assert len(await drain(bank)) == 1

    async def test_a_recall_takes_it_back(self, bank: SimulatedBank) -> None:
        (reference,) = await bank.pay_in([TO_KEY])
        await bank.reverse_pay_in(reference)
        await bank.reverse_pay_in("nobody's")
        _, reversal = await drain(bank)
        assert isinstance(reversal, PayInReversed)
        assert (reversal.pay_in_reference, reversal.amount) == (reference, "10.50")
        assert Decimal((await bank.balances())["BRL"]) == BALANCES["BRL"]


async def test_a_silent_bank_answers_nothing_and_loses_nothing(bank: SimulatedBank) -> None:
    await bank.fall_silent(3600)
    (reference,) = await bank.pay_in([TO_KEY])
    for asking in (bank.read(10), bank.balances(), bank.pay(batch(payment("P1"))), bank.open(request("EUR", "SEPA"))):
        with pytest.raises(SourceUnavailableError):
            await asking
    await bank.fall_silent(0)
    assert [entry.reference for entry in await drain(bank)] == [reference]


async def test_its_books_hold_a_million_of_each_currency(bank: SimulatedBank) -> None:
    balances = await bank.balances()
    assert set(balances) == set(BALANCES)
    assert all(Decimal(balance) >= 1_000_000 for balance in balances.values())
