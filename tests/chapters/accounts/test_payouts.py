"""Payouts: held, sent once whatever crashes, reviewed where they must be, ended as the bank tells in any order."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit.model import Decision
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import InvalidState, SecondPersonRequired
from bpn.controls import operations as controls
from bpn.controls.model import FeeTerms, Limit, Operation, Scope
from bpn.ledger import operations as ledger
from bpn.ports.readers import PaymentOutcome, PaymentReport
from conftest import copy_database
from fiat import (
    BENEFICIARIES,
    PAYOUT,
    balance,
    ended,
    exceptions,
    fund,
    order,
    orders,
    pay_out,
    payout_body,
    record,
)
from installation import Installation, Merchant, open_installation


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


def report(made: dict[str, Any], outcome: PaymentOutcome, amount: str = "10", number: int = 1) -> PaymentReport:
    return PaymentReport(
        f"{made['orderId']}/{outcome.value}/{number}",
        made["orderId"],
        outcome,
        "BRL",
        amount,
        "AC04",
        "Told by the test.",
        None,
        datetime(2026, 6, 1, tzinfo=UTC),
    )


async def test_fifty_equal_requests_are_one_payout(merchant: Merchant) -> None:
    await fund(merchant, "100")
    body = await payout_body(merchant, "60", merchantOrderId="once")
    answers = await asyncio.gather(*(merchant.order(PAYOUT, body) for _ in range(50)))
    assert {answer.data["orderId"] for answer in answers if answer.status == 200}.__len__() == 1
    assert {answer.code for answer in answers} <= {None, "REQUEST_IN_PROGRESS"}
    assert len(await orders(merchant, orderType="PAYOUT")) == 1
    assert await balance(merchant) == ("40", "0")


async def test_of_many_that_do_not_all_fit_those_pass_that_fit(merchant: Merchant) -> None:
    await fund(merchant, "100")
    body = await payout_body(merchant, "30")
    answers = await asyncio.gather(
        *(merchant.order(PAYOUT, {**body, "merchantOrderId": f"p-{number}"}) for number in range(10))
    )
    assert Counter(answer.code for answer in answers) == {None: 3, "INSUFFICIENT_BALANCE": 7}
    assert await balance(merchant) == ("10", "0")


async def test_the_merchants_id_is_unique_over_all_orders(merchant: Merchant) -> None:
    account_id = await fund(merchant, "100")
    await pay_out(merchant, "10", merchantOrderId="same")
    answer = await merchant.order(
        "/v1/virtual-account/order/refund",
        {"accountId": account_id, "currency": "BRL", "amount": "10", "merchantOrderId": "same"},
    )
    assert (answer.status, answer.code) == (409, "IDEMPOTENCY_CONFLICT")
    other = await merchant.order(PAYOUT, await payout_body(merchant, "11", merchantOrderId="same"))
    assert (other.status, other.code) == (409, "IDEMPOTENCY_CONFLICT")
    found = await merchant.get("/v1/virtual-account/order/detail", merchantOrderId="same")
    assert found["amount"] == "10"
    assert await balance(merchant) == ("90", "0")


class TestReports:
    """What the bank says, in any order and any number of times."""

    @pytest.mark.parametrize(
        ("told", "status", "available"),
        [
            ([PaymentOutcome.SETTLED, PaymentOutcome.ACCEPTED, PaymentOutcome.SETTLED], "SUCCESS", "90"),
            ([PaymentOutcome.REJECTED, PaymentOutcome.ACCEPTED, PaymentOutcome.REJECTED], "FAILED", "100"),
            ([PaymentOutcome.RETURNED, PaymentOutcome.SETTLED, PaymentOutcome.RETURNED], "RETURNED", "100"),
            ([PaymentOutcome.ACCEPTED, PaymentOutcome.SETTLED, PaymentOutcome.RETURNED], "RETURNED", "100"),
        ],
    )
    async def test_one_by_one_and_together(
        self,
        house: Installation,
        merchant: Merchant,
        told: list[PaymentOutcome],
        status: str,
        available: str,
    ) -> None:
        await fund(merchant, "100")
        made = await pay_out(merchant, "10")
        for outcome in told:
            await record(house, report(made, outcome))
        assert (await order(merchant, made["orderId"]))["status"] == status  # type: ignore[index]
        assert await balance(merchant) == (available, "0")
        again = await pay_out(merchant, "10", merchantOrderId="together")
        await asyncio.gather(*(record(house, *(report(again, outcome) for outcome in told)) for _ in range(3)))
        assert (await order(merchant, again["orderId"]))["status"] == status  # type: ignore[index]

    async def test_the_opposite_of_what_was_told_is_for_the_operator(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await fund(merchant, "100")
        made = await pay_out(merchant, "10")
        await record(house, report(made, PaymentOutcome.SETTLED))
        rejected = report(made, PaymentOutcome.REJECTED)
        await record(house, rejected)
        assert await exceptions(house, rejected.reference) == ["CONTRADICTION"]
        more = report(made, PaymentOutcome.RETURNED, "11")
        await record(house, more)
        assert await exceptions(house, more.reference) == ["CONTRADICTION"]
        assert await balance(merchant) == ("90", "0")

    async def test_what_the_returning_bank_kept_is_not_credited(self, house: Installation, merchant: Merchant) -> None:
        await fund(merchant, "100")
        made = await pay_out(merchant, "10")
        await record(house, report(made, PaymentOutcome.RETURNED, "9.50"))
        (back,) = await orders(merchant, orderType="RETURN")
        assert back["amount"] == "9.5"
        assert await balance(merchant) == ("99.5", "0")

    async def test_a_debit_that_nobody_asked_for_is_an_exception(self, house: Installation) -> None:
        nobody = report({"orderId": "12345"}, PaymentOutcome.SETTLED)
        await record(house, nobody)
        assert await exceptions(house, nobody.reference) == ["UNKNOWN_PAYMENT"]


async def test_two_workers_and_a_death_after_sending_pay_once(house: Installation, merchant: Merchant) -> None:
    await fund(merchant, "100")
    made = await pay_out(merchant, "10")
    terms, database = house.parts.account_terms, house.parts.database
    bank = house.parts.bank
    assert bank is not None
    sent: list[str] = []

    async def send_and_die() -> None:
        send = house.job("accounts.send_payments").__self__  # type: ignore[attr-defined]
        original = send._sender

        class Dying:
            source = original.source

            async def pay(self, batch: Any) -> None:
                await original.pay(batch)
                sent.extend(payment.end_to_end_id for payment in batch.payments)
                raise RuntimeError("killed between sending and noting")

        send._sender = Dying()
        try:
            await send.send_payments()
        finally:
            send._sender = original

    with pytest.raises(RuntimeError):
        await send_and_die()
    async with database.transaction() as tx:
        unsent = await accounts.list_unsent_batches(terms, tx, {merchant.merchant_id: "x"})
    assert made["orderId"] in sent
    assert [one.order.order_id for batch in unsent for one in batch.payments] == [int(made["orderId"])]
    job = house.job("accounts.send_payments")
    await asyncio.gather(job(), job())
    await ended(merchant, made, "SUCCESS")
    with psycopg.connect(house.parts.database_url) as connection:
        (paid,) = connection.execute(
            "SELECT count(*) FROM simulated_bank.entries WHERE reference = %s", (f"{made['orderId']}/settled",)
        ).fetchall()[0]
    assert paid == 1
    assert await balance(merchant) == ("90", "0")


async def test_a_silent_bank_delays_and_loses_nothing(house: Installation, merchant: Merchant) -> None:
    await fund(merchant, "100")
    made = await pay_out(merchant, "10")
    await house.parts.bank.levers.fall_silent(0.3)  # type: ignore[union-attr]
    await house.job("accounts.send_payments")()
    assert (await order(merchant, made["orderId"]))["status"] == "PROCESSING"  # type: ignore[index]
    await asyncio.sleep(0.4)
    await ended(merchant, made, "SUCCESS")


class TestControls:
    async def test_fee_limit_and_pause(self, house: Installation, merchant: Merchant) -> None:
        scope = Scope(merchant.merchant_id, "BRL")
        async with house.parts.database.transaction() as tx:
            word = Decision(True, "ana")
            await controls.set_fee(tx, word, Operation.PAYOUT, FeeTerms(flat=Decimal(2)), scope=scope)
            await controls.set_limit(tx, word, Operation.PAYOUT, Limit(per_day=Decimal(50)), scope=scope)
        await fund(merchant, "100")
        made = await pay_out(merchant, "30")
        assert made["fee"] == "2"
        assert await balance(merchant) == ("68", "0")
        over = await merchant.order(PAYOUT, await payout_body(merchant, "21"))
        assert (over.status, over.code) == (422, "LIMIT_EXCEEDED")
        failed = await ended(merchant, await pay_out(merchant, "10.66"), "FAILED")
        assert failed["fee"] == "2"
        await pay_out(merchant, "20")
        async with house.parts.database.transaction() as tx:
            await controls.set_pause(tx, Decision(True, "ana"), Operation.PAYOUT, scope=scope)
        paused = await merchant.order(PAYOUT, await payout_body(merchant, "1"))
        assert (paused.status, paused.code) == (503, "SERVICE_PAUSED")
        await ended(merchant, made, "SUCCESS")
        async with house.parts.database.transaction(snapshot=True) as tx:
            assert (await ledger.verify(tx)).findings == ()


class TestReview:
    async def test_above_the_limit_an_operator_decides_once(self, house: Installation, merchant: Merchant) -> None:
        await fund(merchant, "50000")
        made = await pay_out(merchant, "20000")
        assert made["status"] == "REVIEWING"
        await house.round()
        assert (await order(merchant, made["orderId"]))["status"] == "REVIEWING"  # type: ignore[index]
        terms, number = house.parts.account_terms, int(made["orderId"])

        async def decide(approved: bool) -> str:
            async with house.parts.database.transaction() as tx:
                decided = await accounts.decide_payout(
                    terms, tx, merchant.merchant_id, number, Decision(approved, "ana", "checked")
                )
            return decided.status

        outcomes = await asyncio.gather(decide(True), decide(False), decide(True), return_exceptions=True)
        assert sum(isinstance(outcome, InvalidState) for outcome in outcomes) == 2
        (decided,) = [outcome for outcome in outcomes if isinstance(outcome, str)]
        end = await ended(merchant, made, "SUCCESS" if decided == "PROCESSING" else "REJECTED")
        assert await balance(merchant) == ("30000" if end["status"] == "SUCCESS" else "50000", "0")

    async def test_two_people_and_a_screening_hit(self, server: EmbeddedPostgres, tmp_path: Path) -> None:
        options = {"payout_review_above": 100, "second_person_above": 200, "blocked_names": ["Max Muster"]}
        async with open_installation(copy_database(server), tmp_path, **options) as house:
            merchant = await house.merchant()
            await fund(merchant, "1000", "EUR")
            terms, database = house.parts.account_terms, house.parts.database

            async def approve(made: dict[str, Any], actor: str, *, approved: bool = True) -> str:
                async with database.transaction() as tx:
                    decided = await accounts.decide_payout(
                        terms, tx, merchant.merchant_id, int(made["orderId"]), Decision(approved, actor, "known")
                    )
                return decided.status

            hit = await pay_out(merchant, "50", "EUR")
            assert hit["status"] == "PROCESSING"
            await ended(merchant, hit, "REVIEWING")
            assert await approve(hit, "ana") == "PROCESSING"
            await ended(merchant, hit, "SUCCESS")
            large = await pay_out(merchant, "300", "EUR")
            assert await approve(large, "maker") == "REVIEWING"
            with pytest.raises(SecondPersonRequired):
                await approve(large, "maker")
            assert await approve(large, "checker") == "PROCESSING"
            await ended(merchant, large, "REVIEWING")
            assert await approve(large, "maker", approved=False) == "REJECTED"
            assert await balance(merchant, "EUR") == ("950", "0")


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"amount": "0"}, 400, "INVALID_REQUEST", "amount"),
        ({"amount": "-1"}, 400, "INVALID_REQUEST", "amount"),
        ({"amount": "0.001"}, 400, "INVALID_REQUEST", "amount"),
        ({"amount": "1e3"}, 400, "INVALID_REQUEST", "amount"),
        ({"amount": "2000000"}, 422, "LIMIT_EXCEEDED", "amount"),
        ({"currency": "XYZ"}, 422, "UNSUPPORTED_CURRENCY", "currency"),
        ({"currency": "EUR", "beneficiary": BENEFICIARIES["EUR"]}, 400, "INVALID_REQUEST", "currency"),
        ({"virtualAccountId": "1"}, 404, "VIRTUAL_ACCOUNT_NOT_FOUND", "virtualAccountId"),
        ({"bankAccountId": "1"}, 400, "INVALID_REQUEST", "bankAccountId"),
        ({"beneficiary": None}, 400, "INVALID_REQUEST", "bankAccountId"),
        ({"beneficiary": None, "bankAccountId": "1"}, 404, "BANK_ACCOUNT_NOT_FOUND", "bankAccountId"),
        ({"beneficiary": {"networkType": "SEPA"}}, 422, "UNSUPPORTED_RAIL", "networkType"),
        ({"beneficiary": {"pixKey": "no key", "accountHolderName": "x"}}, 400, "INVALID_REQUEST", "beneficiary.pixKey"),
        ({"beneficiary": {"pixKey": "ana@example.com"}}, 400, "INVALID_REQUEST", "beneficiary.accountHolderName"),
        ({"purpose": ""}, 400, "INVALID_REQUEST", "purpose"),
    ],
)
async def test_bad_requests_change_nothing(
    merchant: Merchant, change: dict[str, object], status: int, code: str, field: str
) -> None:
    body = {**await payout_body(merchant, "10"), **change}
    answer = await merchant.order(PAYOUT, {name: value for name, value in body.items() if value is not None})
    assert (answer.status, answer.code, answer.fields) == (status, code, [field])
    assert await orders(merchant) == []


async def test_another_merchants_master_and_bank_account_do_not_exist(house: Installation, merchant: Merchant) -> None:
    await fund(merchant, "100")
    other = await house.merchant()
    answer = await other.order(PAYOUT, await payout_body(merchant, "10"))
    assert (answer.status, answer.code) == (404, "VIRTUAL_ACCOUNT_NOT_FOUND")
    info = {name: text for name, text in BENEFICIARIES["BRL"].items() if name != "networkType"}
    mine = await merchant.post(
        "/v1/account/add-account",
        {"accountType": "beneficiary", "networkType": "PIX", "country": "BR", "currency": "BRL", "accountInfo": info},
    )
    body = {**await payout_body(other, "10"), "bankAccountId": mine["accountId"]}
    del body["beneficiary"]
    answer = await other.order(PAYOUT, body)
    assert (answer.status, answer.code) == (404, "BANK_ACCOUNT_NOT_FOUND")
    body = {**await payout_body(merchant, "10"), "bankAccountId": mine["accountId"]}
    del body["beneficiary"]
    await ended(merchant, await merchant.post(PAYOUT, body), "SUCCESS")
