"""Virtual accounts: opened by the bank, refused where something is missing, listed, drawn as codes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit.model import Decision
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import UnsupportedCurrency
from conftest import copy_database
from fiat import COMPANY, CREATE, account, open_account, statuses_told
from installation import Installation, Merchant, open_installation, receiving

PERSON = {
    "firstName": "Ana",
    "lastName": "Sousa",
    "industry": "Design",
    "businessPlatformUrl": "https://ana.example",
    "taxIdNumber": "12345678909",
    "taxCountry": "BR",
}
LIST = "/v1/virtual-account/sub/list"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


@pytest.mark.parametrize(
    ("currency", "rail", "fields"),
    [
        ("BRL", "PIX", ["pixKey", "pixCode", "qrImage"]),
        ("USD", "ACH", ["routingNumber", "accountNumber"]),
        ("EUR", "SEPA", ["iban", "bic"]),
        ("GBP", "FPS", ["sortCode", "accountNumber"]),
        ("MXN", "SPEI", ["clabe"]),
        ("HKD", "SWIFT", ["accountNumber", "bic"]),
        ("SGD", "SWIFT", ["accountNumber", "bic"]),
    ],
)
async def test_each_currency_has_its_rail_and_its_numbers(
    merchant: Merchant, currency: str, rail: str, fields: list[str]
) -> None:
    opened = await open_account(merchant, currency)
    assert (opened["rail"], opened["currency"], opened["accountSubType"]) == (rail, currency, "STATIC")
    assert all(opened[field] for field in fields)
    assert opened["accountHolderName"]


async def test_opening_is_asked_once_and_told(house: Installation) -> None:
    async with receiving() as receiver:
        merchant = await house.merchant(receiver.url)
        receiver.secret = merchant.api_secret
        body = {"currency": "EUR", "requestId": "open-1"}
        made = await merchant.post(CREATE, body)
        assert made["status"] == "INIT"
        assert await merchant.post(CREATE, body) == made
        job = house.job("accounts.open_accounts")
        await asyncio.gather(job(), job())
        await house.until(lambda: account(merchant, made["accountId"], "SUCCESS"))
        assert (await merchant.get(LIST))["total"] == 1
        assert await statuses_told(house, receiver, "OPEN_VIRTUAL_ACCOUNT_STATUS", 2) == ["INIT", "SUCCESS"]


async def test_the_bank_may_refuse(house: Installation, merchant: Merchant) -> None:
    await house.parts.bank.levers.fail_next_opening("Not this customer.")  # type: ignore[union-attr]
    made = await merchant.post(CREATE, {"currency": "EUR"})
    failed = await house.until(lambda: account(merchant, made["accountId"], "FAIL"))
    assert (failed["failReason"], failed["iban"]) == ("Not this customer.", None)


@pytest.mark.parametrize(
    ("body", "status", "code", "fields"),
    [
        ({"currency": "XYZ"}, 422, "UNSUPPORTED_CURRENCY", ["currency"]),
        ({"currency": "EUR", "rail": "PIX"}, 422, "UNSUPPORTED_RAIL", ["rail"]),
        ({"currency": "EUR", "country": "BR"}, 400, "INVALID_REQUEST", ["country"]),
        ({"currency": "EUR", "accountSubType": "DYNAMIC"}, 422, "UNSUPPORTED_RAIL", ["accountSubType"]),
        ({"currency": "BRL", "accountSubType": "DYNAMIC"}, 400, "INVALID_REQUEST", ["companyInfo"]),
        ({"currency": "BRL", "pixKeyType": "EVP"}, 400, "INVALID_REQUEST", ["companyInfo"]),
        (
            {"currency": "BRL", "pixKeyType": "EVP", "companyInfo": {"entityName": "Loja"}},
            400,
            "INVALID_REQUEST",
            [
                "companyInfo.industry",
                "companyInfo.businessPlatformUrl",
                "companyInfo.registrationNumber",
                "companyInfo.incorporatedCountry",
            ],
        ),
        (
            {"currency": "BRL", "pixKeyType": "EVP", "individualInfo": {**PERSON, "lastName": None}},
            400,
            "INVALID_REQUEST",
            ["individualInfo.firstName"],
        ),
        ({"currency": "BRL", "amount": "5"}, 400, "INVALID_REQUEST", ["amount"]),
        ({"currency": "BRL", "expiresIn": 60}, 400, "INVALID_REQUEST", ["expiresIn"]),
        ({"currency": "BRL", "pixKey": "x@example.com"}, 400, "INVALID_REQUEST", ["pixKeyType"]),
        (
            {"currency": "BRL", "pixKeyType": "CPF", "pixKey": "12345678900", "companyInfo": COMPANY},
            400,
            "INVALID_REQUEST",
            ["pixKey"],
        ),
        ({"currency": "EUR", "pixKeyType": "EVP"}, 400, "INVALID_REQUEST", ["pixKeyType"]),
        ({"currency": "EUR", "companyInfo": {}, "individualInfo": {}}, 400, "INVALID_REQUEST", ["customerType"]),
        ({}, 400, "INVALID_REQUEST", ["currency"]),
        ({"currency": 5}, 400, "INVALID_REQUEST", ["currency"]),
    ],
)
async def test_bad_requests(
    merchant: Merchant, body: dict[str, object], status: int, code: str, fields: list[str]
) -> None:
    answer = await merchant.order(CREATE, body)
    assert (answer.status, answer.code, answer.fields) == (status, code, fields)


async def test_a_key_wished_for_is_given_to_one_only(house: Installation, merchant: Merchant) -> None:
    key = f"pay-{merchant.merchant_id}@example.com"
    body = {"pixKeyType": "EMAIL", "pixKey": key.upper(), "individualInfo": PERSON}
    opened = await open_account(merchant, "BRL", **body)
    assert (opened["pixKey"], opened["pixKeyType"], opened["customerType"]) == (key, "EMAIL", "INDIVIDUAL")
    other = await house.merchant()
    made = await other.post(CREATE, {"currency": "BRL", **body})
    failed = await house.until(lambda: account(other, made["accountId"], "FAIL"))
    assert "another account" in failed["failReason"]


async def test_a_code_is_drawn_for_whoever_has_its_url(house: Installation, merchant: Merchant, tmp_path: Path) -> None:
    opened = await open_account(merchant, "BRL", accountSubType="DYNAMIC", amount="12.34", companyInfo=COMPANY)
    path = opened["qrImage"].removeprefix(house.parts.settings.base_url)
    picture = await house.http.get(path)
    assert picture.headers["content-type"] == "image/png"
    file = tmp_path / "code.png"
    file.write_bytes(picture.content)
    (read,) = zxingcpp.read_barcodes(Image.open(file))
    assert read.text == opened["pixCode"]
    drawn = await house.http.get(path, params={"format": "svg"})
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert (await house.http.get(path[:-4] + "0000")).status_code == 404
    await merchant.post("/v1/virtual-account/sub/delete", {"accountId": opened["accountId"]})
    assert (await house.http.get(path)).status_code == 404


async def test_lists_filter_and_page(house: Installation, merchant: Merchant) -> None:
    made = [await merchant.post(CREATE, {"currency": "EUR", "subUserId": f"user-{n % 2}"}) for n in range(5)]
    usd = await merchant.post(CREATE, {"currency": "USD"})
    page = await merchant.get(LIST, pageSize=2)
    assert (page["total"], [one["accountId"] for one in page["list"]]) == (
        6,
        [usd["accountId"], made[4]["accountId"]],
    )
    deeper = await merchant.get(LIST, pageSize=2, cursor=page["cursor"])
    assert [one["accountId"] for one in deeper["list"]] == [made[3]["accountId"], made[2]["accountId"]]
    for query, total in (
        ({"currency": "USD"}, 1),
        ({"subUserId": "user-1"}, 2),
        ({"status": "INIT"}, 6),
        ({"status": "CLOSED"}, 0),
        ({"accountId": usd["accountId"]}, 1),
        ({"startTimestamp": made[3]["createTime"]}, 3),
        ({"endTimestamp": made[0]["createTime"]}, 0),
    ):
        assert (await merchant.get(LIST, **query))["total"] == total, query
    other = await house.merchant()
    assert (await other.get(LIST))["total"] == 0


async def test_masters_are_provisioned_shown_and_needed(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with open_installation(copy_database(server), tmp_path) as house:
        merchant = await house.merchant()
        listed = await merchant.get("/v1/virtual-account/primary/list", pageSize=200)
        supported = (await merchant.get("/v1/virtual-account/support-list"))["list"]
        assert {one["currency"] for one in listed["list"]} == {one["currency"] for one in supported}
        found = await merchant.get("/v1/virtual-account/primary/get-balance", currency="brl", externalAccountId="x")
        assert (found["balance"], found["balanceString"]) == ("0", "R$ 0.00")
        unknown = await merchant.ask("/v1/virtual-account/primary/get-balance", currency="XYZ")
        assert (unknown.status, unknown.code) == (422, "UNSUPPORTED_CURRENCY")
        async with house.parts.database.transaction() as tx:
            await tx.connection.execute("DELETE FROM master_accounts WHERE currency = 'EUR'")
        for answer in (
            await merchant.ask("/v1/virtual-account/primary/get-balance", currency="EUR"),
            await merchant.order(CREATE, {"currency": "EUR"}),
        ):
            assert (answer.status, answer.code) == (422, "MASTER_ACCOUNT_NOT_PROVISIONED")
        decision = Decision(True, "ana")
        async with house.parts.database.transaction() as tx:
            first = await accounts.provision_masters(tx, merchant.merchant_id, ["EUR", "EUR", "BRL"], decision)
            again = await accounts.provision_masters(tx, merchant.merchant_id, ["EUR"], decision)
            assert again[0] in first
            with pytest.raises(UnsupportedCurrency):
                await accounts.provision_masters(tx, merchant.merchant_id, ["XYZ"], decision)
        await open_account(merchant, "EUR")


async def test_what_is_supported_is_told(merchant: Merchant) -> None:
    (brl,) = (await merchant.get("/v1/virtual-account/support-list", currency="BRL"))["list"]
    assert (brl["country"], brl["defaultRail"], brl["accountSubTypes"]) == ("BR", "PIX", ["STATIC", "DYNAMIC"])
    assert "registrationNumber" in brl["requiredKybFields"]["corporate"]


async def test_personal_data_is_sealed_at_rest(house: Installation, merchant: Merchant) -> None:
    opened = await open_account(merchant, "BRL", pixKeyType="EVP", individualInfo=PERSON)
    async with house.parts.database.reading() as tx:
        for table in ("virtual_accounts", "virtual_account_handles", "directory"):
            cursor = await tx.connection.execute(f"SELECT t::text FROM {table} t")  # type: ignore[arg-type]
            rows = " ".join(row[0] for row in await cursor.fetchall())
            for secret in ("Sousa", "12345678909", opened["pixKey"]):
                assert secret not in rows, table
