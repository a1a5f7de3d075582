"""A client for the BPN API: signs requests in either scheme, opens the envelope, tries again safely, checks webhooks.

client = Client("http://127.0.0.1:8000", api_key, api_secret)
balance = client.get("/v1/wallet/asset-balance", currency="USDT")
client.post("/v1/wallet/internal-transfer", {"merchantTransactionId": "1", ...})
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bpn.kernel.message_signature import sign_message
from bpn.kernel.signature import sign

_TRY_AGAIN = {"RATE_LIMITED", "UNAVAILABLE", "REQUEST_IN_PROGRESS"}
"""Refusals that say: nothing happened, or it still happens; ask again with the same id."""
_LONGEST_WAIT_SECONDS = 30.0
_WEBHOOK_FAMILIES = (("api-timestamp", "api-signature"), ("x-bpn-timestamp", "x-bpn-signature"))


class ApiError(Exception):
    """An answer that is not 2xx. `code` is the catalogue's word; `errors` lists the fields at fault."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{answer['status']} {answer['code']}: {answer['msg']} (trace {answer['traceId']})")
        self.status: int = answer["status"]
        self.code: str = answer["code"]
        self.message: str = answer["msg"]
        self.trace_id: str = answer["traceId"]
        self.errors: list[dict[str, str]] = (answer["data"] or {}).get("errors", [])


def signed_headers(api_key: str, api_secret: str, content: bytes, timestamp: int) -> dict[str, str]:
    """The three headers of a request.

    Args:
        api_key: names the key.
        api_secret: its secret, as shown when the key was made.
        content: the query string without `?` for GET, the raw body for POST.
        timestamp: Unix milliseconds.
    """
    signature = sign(api_secret.encode(), content, str(timestamp))
    return {"API-KEY": api_key, "API-TIMESTAMP": str(timestamp), "API-SIGNATURE": signature}


def webhook_is_genuine(
    api_secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_seconds: float = 300,
    now: Callable[[], float] = time.time,
) -> bool:
    """Whether a webhook's `API-SIGNATURE` is that of its raw body, and made within the tolerance of now.

    Args:
        api_secret: the secret of the key that signs the webhooks; several while that key is being rotated.
        headers: of the request, in any case.
        body: the bytes as they came.
        tolerance_seconds: how old a signature may be; every try is signed anew.
        now: Unix seconds.
    """
    given = {name.lower(): value for name, value in headers.items()}
    for timestamp_name, signature_name in _WEBHOOK_FAMILIES:
        timestamp, signature = given.get(timestamp_name, ""), given.get(signature_name, "")
        if not (timestamp.isascii() and timestamp.isdigit()):
            continue
        if abs(now() - int(timestamp) / 1000) > tolerance_seconds:
            continue
        for secret in [api_secret] if isinstance(api_secret, str) else api_secret:
            if hmac.compare_digest(sign(secret.encode(), body, timestamp).encode(), signature.encode()):
                return True
    return False


def standard_webhook_is_genuine(endpoint_secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a webhook is signed with its endpoint's secret (`whsec_…`) in the way of Standard Webhooks."""
    try:
        Webhook(endpoint_secret).verify(body, {name.lower(): value for name, value in headers.items()})
    except WebhookVerificationError:
        return False
    return True


class Client:
    """Speaks to one installation with one API key. Close it, or use it in a `with` block.

    What fails on the way, or is refused for now (429, 503, REQUEST_IN_PROGRESS), is tried again, each time signed
    anew. Every POST carries an `Idempotency-Key`, so that it happens once however often it is sent.

    Args of the constructor:
        base_url: as others reach the installation; a message signature covers it.
        api_key: names the key.
        api_secret: its secret; may be empty with a private key.
        private_key: signs by RFC 9421 with ed25519, for a key made with the public half.
        message_signatures: sign by RFC 9421 with the secret.
        now: Unix seconds.
        sleep: waits between tries.
        timeout_seconds: of one try.
        tries: at most, of one request.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        api_secret: str = "",
        *,
        private_key: Ed25519PrivateKey | None = None,
        message_signatures: bool = False,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        timeout_seconds: float = 30.0,
        tries: int = 4,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._api_secret = api_secret
        self._message_key = private_key or (api_secret.encode() if message_signatures else None)
        self._now = now
        self._sleep = sleep
        self._tries = tries
        self._http = httpx.Client(timeout=timeout_seconds, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, path: str, **query: object) -> Any:
        """The `data` of a GET. Query values of None are left out.

        Raises:
            ApiError: refused.
            httpx.TransportError: no answer came, in any try.
        """
        text = urlencode({name: str(value) for name, value in query.items() if value is not None})
        return self._run("GET", f"{path}?{text}" if text else path, text.encode(), None, {})

    def post(self, path: str, body: Mapping[str, object], *, idempotency_key: str | None = None) -> Any:
        """The `data` of a POST; raises as `get`.

        Args:
            path: below `/v1`.
            body: its fields; the merchant's own id among them names the operation for good.
            idempotency_key: the same for an operation without such a field; made up when absent, and then good for
                the tries of this call only.
        """
        raw = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or secrets.token_hex(16)}
        return self._run("POST", path, raw, raw, headers)

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """All rows of a list, page by page, newest first; stable while rows are added."""
        cursor = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["list"]
            cursor = page.get("cursor")
            if cursor is None:
                return

    def _run(self, method: str, target: str, content: bytes, body: bytes | None, headers: dict[str, str]) -> Any:
        for number in range(1, self._tries + 1):
            signed = self._headers(method, target, content, body)
            try:
                response = self._http.request(
                    method, self._base_url + target, content=body, headers=headers | signed
                )  # fmt: skip
            except httpx.TransportError:
                if number == self._tries:
                    raise
                self._sleep(_wait(number, None))
                continue
            answer = response.json()
            if response.is_success:
                return answer["data"]
            if answer["code"] not in _TRY_AGAIN or number == self._tries:
                raise ApiError(answer)
            self._sleep(_wait(number, response.headers.get("Retry-After")))
        raise AssertionError

    def _headers(self, method: str, target: str, content: bytes, body: bytes | None) -> dict[str, str]:
        if self._message_key is None:
            return signed_headers(self._api_key, self._api_secret, content, int(self._now() * 1000))
        return sign_message(
            method,
            self._base_url + target,
            body,
            key_id=self._api_key,
            key=self._message_key,
            created=datetime.fromtimestamp(self._now(), UTC),
            nonce=secrets.token_urlsafe(18),
        )


def _wait(number: int, asked: str | None) -> float:
    """Seconds until the next try: what the server asks for, else a half, then twice as many."""
    if asked is not None and asked.isascii() and asked.isdigit():
        return min(int(asked), _LONGEST_WAIT_SECONDS)
    return min(2.0 ** (number - 2), _LONGEST_WAIT_SECONDS)
