"""What is written from the code is committed and true; real events and answers fit their schemas."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from bpn.audit.model import Decision
from bpn.chapters.accounts import operations as accounts
from bpn.controls import operations as controls
from bpn.controls.model import INVOICE_ABOVE
from bpn.wiring.reference import reference
from fiat import open_account, receive
from installation import Installation, Merchant, receiving
from payment_links import made_and_chosen, pay

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
OPERATIONS = [tuple(line.split()) for line in (Path(__file__).parent / "operations.txt").read_text().splitlines()]


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text())
    return loaded


async def test_the_reference_is_what_make_docs_writes(house: Installation) -> None:
    for name, text in reference(house.parts).items():
        assert (FOLDER / name).read_text() == text, f"{name} is not what the code says; run `make docs`"


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


@pytest.mark.parametrize(("operation", "method", "path", "source"), OPERATIONS, ids=lambda part: part)
def test_every_operation_of_the_contract_is_in_it(
    document: dict[str, Any], operation: str, method: str, path: str, source: str
) -> None:
    described = document["paths"][path][method.lower()]
    assert (described["operationId"], described["x-source"]) == (operation, source)
    assert described["description"]
    assert described["responses"]["200"]


def test_every_field_is_described_or_named_so_that_it_needs_no_description(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or schema.get("enum") or "_" in name, name


def schema_of(document: dict[str, Any], event_type: str) -> dict[str, Any]:
    body = document["webhooks"][event_type]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return {**body, "components": document["components"]}


OF_LINKS = {"PAYMENT_LINK_UPDATED", "CRYPTO_DEPOSIT_ORDER", "ABNORMAL_FUND"}
"""Sent, and compared with their samples, in the tests of payment links."""
OF_PROVIDERS = {"SUB_WALLET_UPDATED", "COLLECT_ORDER_UPDATED", "USD_PAYOUT_ORDER_UPDATED"}
"""Likewise, in the tests of the provider chapter."""


async def every_fiat_event(house: Installation, merchant: Merchant) -> None:
    """A pay-in with its invoice, a question, a bank account."""
    async with house.parts.database.transaction() as tx:
        await controls.set_merchant_setting(
            tx, Decision(True, "ana"), INVOICE_ABOVE, Decimal(1), merchant_id=merchant.merchant_id
        )
    opened = await open_account(merchant, "EUR")
    waiting = await receive(merchant, opened["accountId"], "150", "INVOICE_REQUIRED")
    pdf = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
    await merchant.post(
        "/v1/virtual-account/invoice/submit",
        {
            "orderId": waiting["orderId"],
            "invoiceNo": "1",
            "invoiceDate": "2026-06-01",
            "amount": "150",
            "currency": "EUR",
            "buyer": {"name": "Ana"},
            "seller": {"name": "Loja"},
            "file": {"name": "invoice.pdf", "base64": pdf},
        },
    )
    async with house.parts.database.transaction() as tx:
        await accounts.ask_information(
            house.parts.account_terms,
            tx,
            merchant.merchant_id,
            int(opened["accountId"]),
            "GENERAL",
            "Why?",
            Decision(True, "ana"),
        )
    await merchant.post(
        "/v1/account/add-account",
        {
            "accountType": "payer",
            "networkType": "SEPA",
            "country": "DE",
            "currency": "EUR",
            "accountInfo": {"iban": "DE89370400440532013000", "accountHolderName": "Max"},
        },
    )


async def test_real_events_fit_their_schemas_and_lose_no_field(house: Installation, document: dict[str, Any]) -> None:
    async with receiving() as receiver:
        merchant = await house.merchant(receiver.url)
        receiver.secret = merchant.api_secret
        await merchant.receive("10")
        swap = {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "1"}
        await merchant.post("/v1/stable/create-order", swap)
        await merchant.whitelist()
        person = {"first_name": "Ana", "last_name": "Sousa"}
        await merchant.post(
            "/v1/kyb/share", {"partner_user_id": "user-1", "customer_type": "INDIVIDUAL", "kyc_info": person}
        )
        await every_fiat_event(house, merchant)
        link = await made_and_chosen(house, merchant)
        await pay(house, link, "130")
        (endpoint,) = (await merchant.get("/v1/webhook/endpoint/list"))["list"]
        await merchant.post("/v1/webhook/endpoint/test", {"endpointId": endpoint["endpointId"]})

        async def all_have_come() -> bool:
            return {event["eventType"] for event in receiver.received} >= set(
                document["webhooks"]
            ) - OF_LINKS - OF_PROVIDERS

        await house.until(all_have_come)
        samples = json.loads((Path(__file__).parent / "events.json").read_text())
        for event in receiver.received:
            Draft202012Validator(schema_of(document, event["eventType"])).validate(event)
            assert list(event) == samples["body" if "referenceId" in event else "bareBody"]
            assert list(event["data"]) == samples[event["eventType"]]
