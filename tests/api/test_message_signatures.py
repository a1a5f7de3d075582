"""RFC 9421 at the door: both algorithms, the same order of refusals, nonces that all processes know."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bpn.api.signing import signature_of
from bpn.client import ApiError, Client, signed_headers
from bpn.kernel.message_signature import sign_message
from bpn.merchants import operations as merchants
from bpn.merchants.model import Permission
from installation import Answer, Installation, Merchant, serving

BALANCE = "/v1/wallet/asset-balance"
CREATE = "/v1/wallet/sub-account/create"
TEST = "/v1/webhook/endpoint/test"
_nonces = count(1)


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


def headers_of(
    house: Installation,
    merchant: Merchant,
    method: str,
    target: str,
    body: bytes | None = None,
    *,
    key: bytes | Ed25519PrivateKey | None = None,
    nonce: str | None = None,
    seconds: int = 0,
) -> dict[str, str]:
    signed = sign_message(
        method,
        house.base_url + target,
        body,
        key_id=merchant.api_key,
        key=key or merchant.api_secret.encode(),
        created=datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds, UTC),
        nonce=nonce or f"nonce-{next(_nonces)}",
    )
    return signed if body is None else {**signed, "Content-Type": "application/json"}


async def post(house: Installation, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    return await house.send("POST", path, body, headers)


async def ed25519_key(house: Installation, merchant: Merchant) -> tuple[Merchant, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw().hex()
    async with house.parts.database.transaction() as tx:
        made = await merchants.create_api_key(
            tx, house.parts.cipher, merchant.merchant_id, tuple(Permission), (), public
        )
    return Merchant(house, merchant.merchant_id, made.api_key, made.secret, merchant.wallet_id), private


async def test_with_the_shared_secret(house: Installation, merchant: Merchant) -> None:
    target = f"{BALANCE}?currency=USDT"
    answer = await house.send("GET", BALANCE, b"currency=USDT", headers_of(house, merchant, "GET", target))
    assert (answer.status, answer.data["id"]) == (200, merchant.wallet_id)
    body = b'{"name": "Store"}'
    assert (await post(house, CREATE, body, headers_of(house, merchant, "POST", CREATE, body))).status == 200


async def test_with_ed25519(house: Installation, merchant: Merchant) -> None:
    key, private = await ed25519_key(house, merchant)
    body = b'{"name": "Store"}'
    headers = headers_of(house, key, "POST", CREATE, body, key=private)
    assert (await post(house, CREATE, body, headers)).status == 200
    other = headers_of(house, key, "POST", CREATE, body, key=Ed25519PrivateKey.generate())
    assert (await post(house, CREATE, body, other)).code == "INVALID_SIGNATURE"


async def test_a_key_with_a_public_key_takes_nothing_else(house: Installation, merchant: Merchant) -> None:
    key, _ = await ed25519_key(house, merchant)
    with_secret = headers_of(house, key, "GET", BALANCE)
    assert (await house.send("GET", BALANCE, b"", with_secret)).code == "INVALID_SIGNATURE"
    assert (await key.ask(BALANCE)).code == "INVALID_SIGNATURE"


async def test_the_client_speaks_it(house: Installation, merchant: Merchant) -> None:
    key, private = await ed25519_key(house, merchant)

    def talk() -> list[object]:
        found: list[object] = []
        for number, client in enumerate(
            (
                Client(house.base_url, merchant.api_key, merchant.api_secret, message_signatures=True),
                Client(house.base_url, key.api_key, private_key=private),
            )
        ):
            with client:
                found.append(client.get(BALANCE, currency="USDT")["id"])
                found.append(client.post(CREATE, {"name": f"Store {number}"})["name"])
                with pytest.raises(ApiError, match="UNSUPPORTED_CURRENCY"):
                    client.get(BALANCE, currency="XXX")
        return found

    assert await asyncio.to_thread(talk) == [merchant.wallet_id, "Store 0", merchant.wallet_id, "Store 1"]


async def test_what_was_changed_on_the_way_is_refused(house: Installation, merchant: Merchant) -> None:
    body = b'{"name": "Store"}'
    for path, sent in ((CREATE, b'{"name": "Other"}'), ("/v1/wallet/withdraw", body)):
        headers = headers_of(house, merchant, "POST", CREATE, body)
        assert (await post(house, path, sent, headers)).code == "INVALID_SIGNATURE"
    headers = headers_of(house, merchant, "GET", BALANCE)
    assert (await house.send("GET", BALANCE, b"currency=USDT", headers)).code == "INVALID_SIGNATURE"
    uncovered = headers_of(house, merchant, "POST", CREATE) | {"Content-Type": "application/json"}
    assert (await post(house, CREATE, body, uncovered)).code == "INVALID_SIGNATURE"


async def test_two_faults_give_the_earlier_answer(house: Installation, merchant: Merchant) -> None:
    """The order is that of the other scheme."""
    body = b"{"
    assert (await post(house, CREATE, body, headers_of(house, merchant, "POST", CREATE, body))).code == "MALFORMED_JSON"
    bad = headers_of(house, merchant, "POST", CREATE, body, key=b"wrong")
    assert (await post(house, CREATE, body, bad)).code == "INVALID_SIGNATURE"
    late = headers_of(house, merchant, "POST", CREATE, body, key=b"wrong", seconds=-400)
    assert (await post(house, CREATE, body, late)).code == "TIMESTAMP_OUT_OF_WINDOW"
    unknown = Merchant(house, merchant.merchant_id, "bpn_unknown", "x", 0)
    late = headers_of(house, unknown, "POST", CREATE, body, seconds=-400)
    assert (await post(house, CREATE, body, late)).code == "UNKNOWN_API_KEY"
    for name in ("Signature", "Signature-Input"):
        lacking = headers_of(house, unknown, "POST", CREATE, body, seconds=-400)
        del lacking[name]
        assert (await post(house, CREATE, body, lacking)).code == "MISSING_CREDENTIALS"
    odd = {"Signature-Input": 'bpn=("@method")', "Signature": "bpn=:AA==:", "Content-Type": "application/json"}
    answer = await post(house, CREATE, body, odd)
    assert (answer.code, "keyid" in answer.body["msg"]) == ("MISSING_CREDENTIALS", True)


async def test_a_nonce_is_used_once_in_all_processes(house: Installation, merchant: Merchant) -> None:
    body = json.dumps({"name": "Store", "requestId": "nonce-1"}).encode()
    headers = headers_of(house, merchant, "POST", CREATE, body, nonce="once")
    first = await post(house, CREATE, body, headers)
    assert first.status == 200
    async with serving(house.parts) as second:
        again = await house.http.request(
            "POST", second + CREATE, content=body, headers=headers | {"Host": house.base_url.removeprefix("http://")}
        )
    assert (again.status_code, again.json()["data"]) == (200, first.data), "the same signed bytes are a retry"
    other = json.dumps({"name": "Other"}).encode()
    reused = headers_of(house, merchant, "POST", CREATE, other, nonce="once")
    assert (await post(house, CREATE, other, reused)).code == "REPLAYED_REQUEST"
    elsewhere = headers_of(house, merchant, "POST", "/v1/wallet/withdraw", other, nonce="once")
    assert (await post(house, "/v1/wallet/withdraw", other, elsewhere)).code == "REPLAYED_REQUEST"


async def test_what_cannot_be_repeated_is_not(house: Installation, merchant: Merchant) -> None:
    endpoint = await merchant.post("/v1/webhook/endpoint/set", {"url": "http://127.0.0.1:9/"})
    body = json.dumps({"endpointId": endpoint["endpointId"]}).encode()
    headers = headers_of(house, merchant, "POST", TEST, body)
    assert (await post(house, TEST, body, headers)).status == 200
    assert (await post(house, TEST, body, headers)).code == "REPLAYED_REQUEST"


async def test_the_three_headers_go_first(house: Installation, merchant: Merchant) -> None:
    """A proxy that signs what it passes on does not lock anyone out."""
    ours = signed_headers(merchant.api_key, merchant.api_secret, b"", merchant.timestamp())
    proxys = {"Signature-Input": 'proxy=("@method");created=1;keyid="p";nonce="n"', "Signature": "proxy=:AA==:"}
    assert (await house.send("GET", BALANCE, b"", ours | proxys)).status == 200


def test_behind_a_proxy_the_public_url_is_what_clients_sign() -> None:
    sent = [
        (b"host", b"10.0.0.7:8000"),
        (b"signature-input", b'bpn=("@method");created=1;keyid="k";nonce="n"'),
        (b"signature", b"bpn=:AA==:"),
    ]
    scope = {"method": "GET", "scheme": "http", "path": "/v1/x", "raw_path": b"/v1/x", "query_string": b"a=b%20c"}
    scope["headers"] = sent
    found = signature_of(scope, dict(sent), "https://api.example", 300)
    assert found.url == "https://api.example/v1/x?a=b%20c"  # type: ignore[attr-defined]
    found = signature_of(scope, dict(sent), None, 300)
    assert found.url == "http://10.0.0.7:8000/v1/x?a=b%20c"  # type: ignore[attr-defined]
