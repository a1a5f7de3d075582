"""Invoices, information requests and bank accounts: asked for, handed in, decided, checked to the last digit."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit.model import Decision
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import InvalidState
from bpn.controls import operations as controls
from bpn.controls.model import INVOICE_ABOVE, INVOICE_FOR_BUSINESS
from conftest import copy_database
from fiat import ANA, account, balance, ended, open_account, order, orders, pay, receive, statuses_told
from installation import Installation, Merchant, open_installation, receiving

PDF = base64.b64encode(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n").decode()
SUBMIT = "/v1/virtual-account/invoice/submit"
ANSWER = "/v1/virtual-account/sub/rfi/submit"
ADD = "/v1/account/add-account"
WORD = Decision(True, "ana", "looked at it")


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def ask_for_invoices(house: Installation, merchant: Merchant, *, business: bool = False) -> None:
    async with house.parts.database.transaction() as tx:
        if business:
            await controls.set_merchant_setting(tx, WORD, INVOICE_FOR_BUSINESS, True, merchant_id=merchant.merchant_id)
        else:
            await controls.set_merchant_setting(tx, WORD, INVOICE_ABOVE, 100, merchant_id=merchant.merchant_id)  # type: ignore[arg-type]


def invoice(order_id: str, **other: object) -> dict[str, object]:
    return {
        "orderId": order_id,
        "invoiceNo": "2026-17",
        "invoiceDate": "2026-06-01",
        "amount": "150",
        "currency": "BRL",
        "buyer": {"name": "Ana Sousa"},
        "seller": {"name": "Loja Azul Ltda", "country": "BR"},
        "items": [{"description": "Chairs", "quantity": "3", "unitPrice": 50.00, "amount": "150"}],
        "file": {"name": "invoice.pdf", "contentType": "application/pdf", "base64": PDF},
        **other,
    }


class TestInvoices:
    async def test_money_waits_until_one_is_approved(self, house: Installation) -> None:
        async with receiving() as receiver:
            merchant = await house.merchant(receiver.url)
            receiver.secret = merchant.api_secret
            await ask_for_invoices(house, merchant)
            opened = await open_account(merchant)
            await receive(merchant, opened["accountId"], "99.99")
            waiting = await receive(merchant, opened["accountId"], "150", "INVOICE_REQUIRED")
            assert waiting["invoiceStatus"] == "REQUIRED"
            assert await balance(merchant) == ("99.99", "150")
            body = invoice(waiting["orderId"], requestId="inv-1")
            shown = await merchant.post(SUBMIT, body)
            assert shown["status"] == "APPROVED"
            assert await merchant.post(SUBMIT, body) == shown
            assert await balance(merchant) == ("249.99", "0")
            after = await order(merchant, waiting["orderId"], "SUCCESS")
            assert after is not None
            assert after["invoiceStatus"] == "APPROVED"
            late = await merchant.order(SUBMIT, invoice(waiting["orderId"]))
            assert (late.status, late.code) == (409, "INVALID_STATE")
            assert await statuses_told(house, receiver, "VIRTUAL_ACCOUNT_INVOICE", 2) == ["SUBMITTED", "APPROVED"]

    async def test_a_business_payer_needs_one_and_a_rejected_one_is_followed_by_another(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await ask_for_invoices(house, merchant, business=True)
        opened = await open_account(merchant)
        await receive(merchant, opened["accountId"], "500")
        company = {**ANA, "taxId": "11222333000181"}
        waiting = await receive(merchant, opened["accountId"], "5", "INVOICE_REQUIRED", payer=company)
        refused = await merchant.post(SUBMIT, invoice(waiting["orderId"], invoiceNo="REJECT-1"))
        assert refused["status"] == "REJECTED"
        assert await balance(merchant) == ("500", "5")
        await merchant.post(SUBMIT, invoice(waiting["orderId"]))
        assert await balance(merchant) == ("505", "0")
        listed = await merchant.get("/v1/virtual-account/invoice/list", orderId=waiting["orderId"])
        assert [one["status"] for one in listed["list"]] == ["APPROVED", "REJECTED"]

    @pytest.mark.parametrize(
        ("change", "status", "code", "field"),
        [
            ({"orderId": "1"}, 404, "ORDER_NOT_FOUND", None),
            ({"amount": "149"}, 400, "INVALID_REQUEST", "amount"),
            ({"currency": "EUR"}, 400, "INVALID_REQUEST", "currency"),
            ({"invoiceDate": "2026-02-30"}, 400, "INVALID_REQUEST", "invoiceDate"),
            ({"file": {"name": "x.png", "contentType": "image/png", "base64": PDF}}, 400, "INVALID_REQUEST", "file"),
            ({"file": {"name": "x.pdf", "base64": base64.b64encode(b"MZ").decode()}}, 400, "INVALID_REQUEST", "file"),
            ({"file": {"name": "x.pdf", "base64": "???"}}, 400, "INVALID_REQUEST", "file"),
        ],
    )
    async def test_bad_ones(
        self,
        house: Installation,
        merchant: Merchant,
        change: dict[str, object],
        status: int,
        code: str,
        field: str | None,
    ) -> None:
        await ask_for_invoices(house, merchant)
        opened = await open_account(merchant)
        waiting = await receive(merchant, opened["accountId"], "150", "INVOICE_REQUIRED")
        answer = await merchant.order(SUBMIT, invoice(waiting["orderId"], **change))
        assert (answer.status, answer.code) == (status, code)
        assert field is None or answer.fields[0].startswith(field)
        assert await balance(merchant) == ("0", "150")

    async def test_a_file_is_as_large_as_it_may_be(self, merchant: Merchant) -> None:
        content = base64.b64encode(b"%PDF-1.4\n" + b"0" * (5 * 1024 * 1024) + b"\n%%EOF\n").decode()
        answer = await merchant.order(SUBMIT, invoice("1", file={"name": "x.pdf", "base64": content}))
        assert (answer.status, answer.code) == (404, "ORDER_NOT_FOUND")
        answer = await merchant.order(SUBMIT, invoice("1", file={"name": "x.pdf", "base64": content * 2}))
        assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")

    async def test_outside_the_sandbox_an_operator_decides_once(self, server: EmbeddedPostgres, tmp_path: Path) -> None:
        async with open_installation(copy_database(server), tmp_path) as house:
            merchant = await house.merchant()
            object.__setattr__(house.parts.account_terms, "decides_by_itself", False)
            await ask_for_invoices(house, merchant)
            opened = await open_account(merchant)
            waiting = await receive(merchant, opened["accountId"], "150", "INVOICE_REQUIRED")
            shown = await merchant.post(SUBMIT, invoice(waiting["orderId"]))
            assert shown["status"] == "SUBMITTED"
            twice = await merchant.order(SUBMIT, invoice(waiting["orderId"]))
            assert (twice.status, twice.code) == (409, "INVALID_STATE")
            terms, database = house.parts.account_terms, house.parts.database

            async def decide(approved: bool) -> str:
                async with database.transaction() as tx:
                    (one,) = await accounts.list_submitted_invoices(terms, tx)
                    decision = Decision(approved, "ana", "checked")
                    decided = await accounts.decide_invoice(terms, tx, one.merchant_id, one.invoice_id, decision)
                return decided.status

            outcomes = await asyncio.gather(decide(True), decide(True), return_exceptions=True)
            assert sum(isinstance(one, InvalidState | ValueError) for one in outcomes) == 1
            assert await balance(merchant) == ("150", "0")
            second = await receive(merchant, opened["accountId"], "200", "INVOICE_REQUIRED")
            async with database.transaction() as tx:
                await accounts.return_pay_in(terms, tx, merchant.merchant_id, int(second["orderId"]), WORD)
            (back,) = await orders(merchant, orderType="RETURN")
            await ended(merchant, back, "SUCCESS")
            assert await balance(merchant) == ("150", "0")


class TestInformation:
    async def ask(self, house: Installation, merchant: Merchant, account_id: str, template: str) -> str:
        async with house.parts.database.transaction() as tx:
            request = await accounts.ask_information(
                house.parts.account_terms, tx, merchant.merchant_id, int(account_id), template, "Why so much?", WORD
            )
        return str(request.request_id)

    async def test_pay_ins_wait_until_the_answers_are_enough(self, house: Installation) -> None:
        async with receiving() as receiver:
            merchant = await house.merchant(receiver.url)
            receiver.secret = merchant.api_secret
            opened = await open_account(merchant)
            number = await self.ask(house, merchant, opened["accountId"], "SOURCE_OF_FUNDS")
            restricted = await account(merchant, opened["accountId"], "RESTRICTED")
            assert restricted is not None
            assert restricted["restrictedUntil"]
            waiting = await receive(merchant, opened["accountId"], "10", "ON_HOLD")
            assert await balance(merchant) == ("0", "10")
            asked = await merchant.get("/v1/virtual-account/sub/rfi/template", rfiId=number)
            assert [(one["name"], one["type"], one["required"]) for one in asked["fields"]] == [
                ("source", "choice", True),
                ("explanation", "text", True),
                ("document", "file", False),
            ]
            again = await merchant.post(
                ANSWER, {"rfiId": number, "answers": {"source": "SALES", "explanation": "REJECT"}}
            )
            assert again["status"] == "REOPENED"
            document = {"name": "books.pdf", "contentType": "application/pdf", "base64": PDF}
            closed = await merchant.post(
                ANSWER,
                {"rfiId": number, "answers": {"source": "SALES", "explanation": "We sold.", "document": document}},
            )
            assert closed["status"] == "CLOSED"
            await ended(merchant, waiting, "SUCCESS")
            assert await balance(merchant) == ("10", "0")
            late = await merchant.order(ANSWER, {"rfiId": number, "answers": {"source": "SALES", "explanation": "x"}})
            assert (late.status, late.code) == (409, "INVALID_STATE")
            told = await statuses_told(house, receiver, "SUB_VIRTUAL_ACCOUNT_RFI", 5)
            assert told == ["OPEN", "SUBMITTED", "REOPENED", "SUBMITTED", "CLOSED"]

    async def test_what_is_not_answered_in_time_is_given_back(self, server: EmbeddedPostgres, tmp_path: Path) -> None:
        async with open_installation(copy_database(server), tmp_path, information_deadline_seconds=60) as house:
            merchant = await house.merchant()
            opened = await open_account(merchant)
            await self.ask(house, merchant, opened["accountId"], "GENERAL")
            waiting = await receive(merchant, opened["accountId"], "10", "ON_HOLD")
            await merchant.post("/v1/mock/clock/advance", {"seconds": 61})
            await ended(merchant, waiting, "RETURNED")
            (back,) = await orders(merchant, orderType="RETURN")
            await ended(merchant, back, "SUCCESS")
            assert await balance(merchant) == ("0", "0")

    @pytest.mark.parametrize(
        ("answers", "field"),
        [
            ({}, "answers.relation"),
            ({"relation": "FRIEND", "since": "2026-01-01"}, "answers.relation"),
            ({"relation": "FAMILY", "since": "yesterday"}, "answers.since"),
            ({"relation": "FAMILY", "since": "2026-01-01", "more": "x"}, "answers.more"),
            ({"relation": "FAMILY", "since": "2026-01-01", "contract": "a file"}, "answers.contract"),
            ({"relation": {"name": "x.pdf", "base64": PDF}, "since": "2026-01-01"}, "answers.relation"),
        ],
    )
    async def test_answers_have_their_types(
        self, house: Installation, merchant: Merchant, answers: dict[str, Any], field: str
    ) -> None:
        opened = await open_account(merchant)
        number = await self.ask(house, merchant, opened["accountId"], "BUSINESS_RELATION")
        answer = await merchant.order(ANSWER, {"rfiId": number, "answers": answers})
        assert (answer.status, answer.code) == (400, "INVALID_REQUEST")
        assert field in answer.fields

    async def test_two_questions_keep_the_account_restricted_and_are_the_merchants_own(
        self, house: Installation, merchant: Merchant
    ) -> None:
        opened = await open_account(merchant)
        first = await self.ask(house, merchant, opened["accountId"], "GENERAL")
        await self.ask(house, merchant, opened["accountId"], "GENERAL")
        other = await house.merchant()
        for answer in (
            await other.ask("/v1/virtual-account/sub/rfi/template", rfiId=first),
            await other.order(ANSWER, {"rfiId": first, "answers": {"answer": "x"}}),
        ):
            assert (answer.status, answer.code) == (404, "INFORMATION_REQUEST_NOT_FOUND")
        assert (await other.get("/v1/virtual-account/sub/rfi/list"))["total"] == 0
        await merchant.post(ANSWER, {"rfiId": first, "answers": {"answer": "Because."}})
        assert await account(merchant, opened["accountId"], "RESTRICTED")
        listed = await merchant.get("/v1/virtual-account/sub/rfi/list", status="OPEN")
        assert listed["total"] == 1
        await merchant.post(ANSWER, {"rfiId": listed["list"][0]["rfiId"], "answers": {"answer": "Because."}})
        assert await account(merchant, opened["accountId"], "SUCCESS")


class TestBankAccounts:
    @pytest.mark.parametrize(
        ("network", "currency", "country", "info"),
        [
            ("PIX", "BRL", "BR", {"cpfOrCnpj": "123.456.789-09", "bankCode": "001", "accountNumber": "123456"}),
            ("PIX", "BRL", "BR", {"pixKey": "+5511987654321"}),
            ("SEPA", "EUR", "DE", {"iban": "DE89 3704 0044 0532 0130 00"}),
            ("SEPA", "EUR", "DE", {"accountNumber": "DE89370400440532013000"}),
            ("ACH", "USD", "US", {"routingNumber": "021000021", "accountNumber": "123456789"}),
            ("FPS", "GBP", "GB", {"sortCode": "04-00-04", "accountNumber": "12345678"}),
            ("SPEI", "MXN", "MX", {"clabe": "002010077777777771"}),
            ("SWIFT", "HKD", "HK", {"bic": "HSBCHKHH", "accountNumber": "123456789"}),
        ],
    )
    async def test_each_rail(
        self, merchant: Merchant, network: str, currency: str, country: str, info: dict[str, str]
    ) -> None:
        told = {**info, "accountHolderName": "Ana Sousa"}
        made = await merchant.post(
            ADD,
            {
                "accountType": "Beneficiary",
                "networkType": network,
                "country": country,
                "currency": currency,
                "accountInfo": told,
            },
        )
        assert (made["status"], made["accountInfo"]) == ("APPROVED", told)

    @pytest.mark.parametrize(
        ("network", "currency", "info", "field", "rule"),
        [
            ("SEPA", "EUR", {"iban": "DE88370400440532013000"}, "iban", "check digits"),
            ("SEPA", "EUR", {"iban": "DE8937040044053201300"}, "iban", "length"),
            ("SEPA", "EUR", {}, "iban", "required"),
            ("ACH", "USD", {"routingNumber": "021000022", "accountNumber": "1234"}, "routingNumber", "ninth digit"),
            ("ACH", "USD", {"accountNumber": "1234"}, "routingNumber", "required"),
            ("SPEI", "MXN", {"clabe": "002010077777777772"}, "clabe", "last digit"),
            ("PIX", "BRL", {"cpfOrCnpj": "12345678900", "accountNumber": "1"}, "cpfOrCnpj", "check digits"),
            ("PIX", "BRL", {"cpfOrCnpj": "11222333000182"}, "cpfOrCnpj", "check digits"),
            ("SWIFT", "HKD", {"bic": "HSBCXXHH", "accountNumber": "1234"}, "bic", "country"),
            ("FPS", "GBP", {"accountNumber": "12345678"}, "sortCode", "required"),
            ("FPS", "GBP", {"sortCode": "04000", "accountNumber": "12345678"}, "sortCode", "six digits"),
        ],
    )
    async def test_the_refusal_names_the_rule(
        self, merchant: Merchant, network: str, currency: str, info: dict[str, str], field: str, rule: str
    ) -> None:
        answer = await merchant.order(
            ADD,
            {
                "accountType": "beneficiary",
                "networkType": network,
                "country": "BR",
                "currency": currency,
                "accountInfo": {**info, "accountHolderName": "Ana"},
            },
        )
        assert (answer.status, answer.code) == (400, "INVALID_REQUEST")
        assert answer.fields[0] == f"accountInfo.{field}"
        assert rule in answer.body["msg"]

    async def test_lists_filter_by_both_spellings_of_time(self, house: Installation, merchant: Merchant) -> None:
        body = {
            "accountType": "payer",
            "networkType": "SEPA",
            "country": "DE",
            "currency": "EUR",
            "accountInfo": {"iban": "DE89370400440532013000", "accountHolderName": "Max"},
            "requestId": "add-1",
        }
        made = await merchant.post(ADD, body)
        assert await merchant.post(ADD, body) == made
        path = "/v1/account/list-account"
        for query, total in (
            ({"accountType": "payer", "networkType": "sepa", "country": "de", "currency": "EUR"}, 1),
            ({"accountType": "beneficiary"}, 0),
            ({"accountId": made["accountId"]}, 1),
            ({"createTimeStartPeriod": made["createTime"], "createTimeEndPeriod": made["createTime"] + 1}, 1),
            ({"createTimeStartPeriod": "2020-01-01 00:00:00", "createTimeEndPeriod": "2020-01-02 00:00:00"}, 0),
            ({"createTimeStartPeriod": "2020-01-01 00:00:00"}, 1),
        ):
            assert (await merchant.get(path, **query))["total"] == total, query
        bad = await merchant.ask(path, createTimeStartPeriod="yesterday")
        assert (bad.status, bad.fields) == (400, ["createTimeStartPeriod"])
        other = await house.merchant()
        assert (await other.get(path, accountId=made["accountId"]))["total"] == 0

    async def test_outside_the_sandbox_an_operator_approves(self, server: EmbeddedPostgres, tmp_path: Path) -> None:
        async with open_installation(copy_database(server), tmp_path, bank_account_needs_approval=True) as house:
            merchant = await house.merchant()
            body = {
                "accountType": "beneficiary",
                "networkType": "SEPA",
                "country": "DE",
                "currency": "EUR",
                "accountInfo": {"iban": "DE89370400440532013000", "accountHolderName": "Max"},
            }
            made = await merchant.post(ADD, body)
            assert made["status"] == "PENDING"
            opened = await open_account(merchant, "EUR")
            await receive(merchant, opened["accountId"], "100")
            payout = {
                "virtualAccountId": opened["primaryAccountId"],
                "currency": "EUR",
                "amount": "10",
                "bankAccountId": made["accountId"],
                "purpose": "x",
            }
            answer = await merchant.order("/v1/virtual-account/order/payout", payout)
            assert (answer.status, answer.code) == (409, "INVALID_STATE")
            terms = house.parts.account_terms
            async with house.parts.database.transaction() as tx:
                (waiting,) = await accounts.list_pending_bank_accounts(terms, tx)
                await accounts.decide_bank_account(terms, tx, merchant.merchant_id, waiting.bank_account_id, WORD)
                with pytest.raises(InvalidState):
                    await accounts.decide_bank_account(terms, tx, merchant.merchant_id, waiting.bank_account_id, WORD)
            await ended(merchant, await merchant.post("/v1/virtual-account/order/payout", payout), "SUCCESS")


async def test_numbers_tell_their_bank(merchant: Merchant) -> None:
    path = "/v1/account/query-bank-info"
    german = await merchant.post(path, {"accountNumber": "DE89370400440532013000"})
    assert (german["numberType"], german["country"], german["rail"]) == ("IBAN", "DE", "SEPA")
    mexican = await merchant.post(path, {"accountNumber": "002010077777777771", "country": "MX"})
    assert (mexican["numberType"], mexican["rail"], mexican["currency"]) == ("CLABE", "SPEI", "MXN")
    bad = await merchant.order(path, {"accountNumber": "DE88370400440532013000"})
    assert (bad.status, bad.fields) == (400, ["accountNumber"])


async def test_banks_are_listed_and_searched(merchant: Merchant) -> None:
    path = "/v1/account/list-banks"
    first = await merchant.get(path, country="DE", pageSize=5)
    assert first["total"] > 1000
    second = await merchant.get(path, country="DE", pageSize=5, cursor=first["cursor"])
    assert [bank["country"] for bank in second["list"]] == ["DE"] * 5
    assert first["list"] != second["list"]
    found = await merchant.get(path, search="commerzbank", currency="EUR")
    assert found["total"] >= 1


async def test_a_pay_in_is_made_later_if_asked(house: Installation, merchant: Merchant) -> None:
    opened = await open_account(merchant)
    made = await pay(merchant, opened["accountId"], "10", delaySeconds=3600)
    await house.round()
    assert await order(merchant, made["orderId"], "PROCESSING")
