"""The door: who is let in, in which order it says no, and what every answer looks like."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.client import signed_headers
from bpn.merchants import operations as merchants
from bpn.merchants.model import Permission
from conftest import copy_database
from installation import Installation, Merchant, open_installation

BALANCE = "/v1/wallet/asset-balance"
CREATE = "/v1/wallet/sub-account/create"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def key_of(
    house: Installation, merchant: Merchant, *permissions: Permission, ips: tuple[str, ...] = ()
) -> Merchant:
    async with house.parts.database.transaction() as tx:
        made = await merchants.create_api_key(tx, house.parts.cipher, merchant.merchant_id, permissions, ips)
    return Merchant(house, merchant.merchant_id, made.api_key, made.secret, merchant.wallet_id)


async def test_the_envelope_of_a_good_answer(merchant: Merchant) -> None:
    answer = await merchant.ask(BALANCE)
    assert list(answer.body) == ["status", "msg", "code", "traceId", "data"]
    assert (answer.status, answer.body["status"], answer.body["msg"], answer.code) == (200, 200, None, None)
    assert answer.headers["x-trace-id"] == answer.body["traceId"]
    assert answer.headers["content-type"] == "application/json"


async def test_the_envelope_of_a_refusal(merchant: Merchant) -> None:
    answer = await merchant.ask(BALANCE, currency="XXX")
    assert (answer.status, answer.body["status"], answer.code) == (422, 422, "UNSUPPORTED_CURRENCY")
    assert "XXX" in answer.body["msg"]
    assert answer.headers["x-trace-id"] == answer.body["traceId"]


async def test_a_callers_trace_id_is_kept(merchant: Merchant) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await merchant.send("GET", BALANCE, headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    assert answer.body["traceId"] == trace_id


async def test_both_families_of_headers_are_equal(house: Installation, merchant: Merchant) -> None:
    sent = signed_headers(merchant.api_key, merchant.api_secret, b"", merchant.timestamp())
    named = dict(zip(["X-BPN-API-KEY", "X-BPN-TIMESTAMP", "X-BPN-SIGNATURE"], sent.values(), strict=True))
    assert (await house.send("GET", BALANCE, b"", named)).status == 200


async def test_the_decoded_reading_of_a_query_is_accepted(house: Installation, merchant: Merchant) -> None:
    headers = signed_headers(merchant.api_key, merchant.api_secret, "name=João Silva".encode(), merchant.timestamp())
    answer = await house.send("GET", "/v1/wallet/list", b"name=Jo%C3%A3o%20Silva", headers)
    assert (answer.status, answer.data["total"]) == (200, 0)


async def test_an_empty_value_counts_as_absent(merchant: Merchant) -> None:
    answer = await merchant.send("GET", BALANCE, b"currency=USDC&walletId")
    assert (answer.status, answer.data["id"]) == (200, merchant.wallet_id)


@pytest.mark.parametrize("missing", ["API-KEY", "API-TIMESTAMP", "API-SIGNATURE"])
async def test_a_missing_header_is_named(house: Installation, merchant: Merchant, missing: str) -> None:
    headers = signed_headers(merchant.api_key, merchant.api_secret, b"", merchant.timestamp())
    del headers[missing]
    answer = await house.send("GET", BALANCE, b"", headers)
    assert (answer.status, answer.code) == (401, "MISSING_CREDENTIALS")
    assert missing in answer.body["msg"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"API-KEY": "bpn_unknown"}, "UNKNOWN_API_KEY"),
        ({"API-TIMESTAMP": "yesterday"}, "TIMESTAMP_OUT_OF_WINDOW"),
        ({"API-TIMESTAMP": str(int(time.time() * 1000) - 301_000)}, "TIMESTAMP_OUT_OF_WINDOW"),
        ({"API-TIMESTAMP": str(int(time.time() * 1000) + 600_000)}, "TIMESTAMP_OUT_OF_WINDOW"),
        ({"API-SIGNATURE": "0" * 64}, "INVALID_SIGNATURE"),
        ({"API-SIGNATURE": "ü"}, "INVALID_SIGNATURE"),
    ],
)
async def test_bad_credentials(merchant: Merchant, headers: dict[str, str], code: str) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await merchant.send("GET", BALANCE, headers=encoded)  # type: ignore[arg-type]
    assert (answer.status, answer.code, answer.data) == (401, code, None)


async def test_two_faults_always_give_the_earlier_answer(house: Installation, merchant: Merchant) -> None:
    """Each step adds an earlier fault to the former ones, and changes the answer to its own."""
    reader = await key_of(house, merchant, Permission.READ)
    walled = await key_of(house, merchant, Permission.READ, ips=("10.0.0.0/8",))
    broken = b"{"
    assert (await merchant.send("POST", CREATE, broken)).code == "MALFORMED_JSON"
    assert (await reader.send("POST", CREATE, broken)).code == "PERMISSION_DENIED"
    async with house.parts.database.transaction() as tx:
        await merchants.suspend_merchant(tx, merchant.merchant_id, suspended=True)
    await house.until(lambda: _is_suspended(merchant))
    assert (await reader.send("POST", CREATE, broken)).code == "MERCHANT_SUSPENDED"
    used = signed_headers(reader.api_key, reader.api_secret, broken, reader.timestamp())
    used["Content-Type"] = "application/json"
    await house.send("POST", "/v1/wallet/withdraw", broken, used)
    assert (await house.send("POST", CREATE, broken, used)).code == "REPLAYED_REQUEST"
    assert (await reader.send("POST", CREATE, broken, headers={"API-SIGNATURE": "00"})).code == "INVALID_SIGNATURE"
    late = {"API-SIGNATURE": "00", "API-TIMESTAMP": "1"}
    assert (await reader.send("POST", CREATE, broken, headers=late)).code == "TIMESTAMP_OUT_OF_WINDOW"
    assert (await walled.send("POST", CREATE, broken, headers=late)).code == "IP_NOT_ALLOWED"
    assert (await walled.send("POST", CREATE, broken, headers={**late, "API-KEY": "x"})).code == "UNKNOWN_API_KEY"
    assert (await walled.send("POST", "/v1/nothing", broken)).code == "ROUTE_NOT_FOUND"


async def _is_suspended(merchant: Merchant) -> bool:
    return (await merchant.ask(BALANCE)).code == "MERCHANT_SUSPENDED"


async def test_a_revoked_key_is_unknown_at_once(house: Installation, merchant: Merchant) -> None:
    other = await key_of(house, merchant, Permission.READ)
    assert (await other.ask(BALANCE)).status == 200
    async with house.parts.database.transaction() as tx:
        await merchants.revoke_api_key(tx, other.api_key)

    async def refused() -> bool:
        return (await other.ask(BALANCE)).code == "UNKNOWN_API_KEY"

    await house.until(refused)


async def test_unknown_paths_and_methods_use_the_envelope(merchant: Merchant) -> None:
    assert ((answer := await merchant.ask("/v1/nothing")).status, answer.code) == (404, "ROUTE_NOT_FOUND")
    answer = await merchant.send("POST", BALANCE, b"{}")
    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.body["msg"]


async def test_a_body_must_say_that_it_is_json(merchant: Merchant) -> None:
    answer = await merchant.send("POST", CREATE, b"{}", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_has_a_limit(merchant: Merchant) -> None:
    answer = await merchant.send("POST", CREATE, b'{"name": "' + b"x" * (1024 * 1024) + b'"}')
    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'"x"', b"{]", b'{"name": NaN}', b"\xff", b"[" * 100_000, b'{"a":1}{"b":2}', b'{"name":"\\ud800"}'],
)
async def test_what_is_not_a_json_object_is_refused(merchant: Merchant, body: bytes) -> None:
    answer = await merchant.send("POST", CREATE, body)
    assert (answer.status, answer.code) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": ["x"]}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x", "requestId": 5}, "requestId"),
        ({"name": "x", "requestId": "y" * 129}, "requestId"),
    ],
)
async def test_a_bad_field_is_named(merchant: Merchant, body: dict[str, object], field: str) -> None:
    answer = await merchant.order(CREATE, body)
    assert (answer.status, answer.code, answer.fields) == (400, "INVALID_REQUEST", [field])


async def test_all_bad_fields_are_listed(merchant: Merchant) -> None:
    answer = await merchant.order("/v1/wallet/internal-transfer", {"currency": 1})
    assert answer.fields == ["fromWalletId", "toWalletId", "currency", "amount"]


async def test_unknown_fields_are_ignored(merchant: Merchant) -> None:
    assert (await merchant.order(CREATE, {"name": "Store", "colour": "green"})).status == 200


async def test_a_query_name_given_twice_is_refused(merchant: Merchant) -> None:
    answer = await merchant.send("GET", BALANCE, b"currency=USDT&currency=USDC")
    assert (answer.code, answer.fields) == ("INVALID_REQUEST", ["currency"])


async def test_a_query_with_nul_is_refused(merchant: Merchant) -> None:
    answer = await merchant.send("GET", "/v1/wallet/list", b"name=a%00b")
    assert (answer.code, answer.fields) == ("INVALID_REQUEST", ["name"])


async def test_a_fault_tells_nothing_but_the_trace_id(
    house: Installation, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bpn.chapters.wallet.operations import wallets  # noqa: PLC0415 - to break it

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(wallets.store, "insert", broken)
    answer = await merchant.order(CREATE, {"name": "Store"})
    assert (answer.status, answer.code, answer.data) == (500, "INTERNAL_ERROR", None)
    assert "secret" not in json.dumps(answer.body)


async def test_a_key_may_ask_so_often_and_no_oftener(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with open_installation(copy_database(server), tmp_path, requests_per_second=5) as house:
        merchant = await house.merchant()
        answers = [await merchant.ask(BALANCE) for _ in range(6)]
        assert [answer.status for answer in answers] == [200] * 5 + [429]
        assert (answers[5].code, answers[5].headers["retry-after"]) == ("RATE_LIMITED", "1")
        refused = await merchant.order(CREATE, {"name": "Store"})
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert (await (await house.merchant()).ask(BALANCE)).status == 200
        await asyncio.sleep(1.05)
        assert (await merchant.ask(BALANCE)).status == 200
