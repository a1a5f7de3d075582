"""A client for the BPN API: signs requests, opens the envelope, checks webhooks.

client = Client("http://127.0.0.1:8000", api_key, api_secret)
balance = client.get("/v1/wallet/asset-balance", currency="USDT")
client.post("/v1/wallet/internal-transfer", {"merchantTransactionId": "1", ...})
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from bpn.kernel.signature import sign


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


def webhook_is_genuine(api_secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a webhook's `API-SIGNATURE` is that of its raw body with this secret."""
    expected = sign(api_secret.encode(), body, headers.get("API-TIMESTAMP", ""))
    return hmac.compare_digest(expected, headers.get("API-SIGNATURE", ""))


class Client:
    """Speaks to one installation with one API key. Close it, or use it in a `with` block."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        api_secret: str,
        *,
        now: Callable[[], float] = time.time,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._api_key = api_key
        self._api_secret = api_secret
        self._now = now
        self._http = httpx.Client(base_url=base_url, timeout=timeout_seconds, trust_env=False)

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
        """The `data` of a GET; raises ApiError. Query values of None are left out."""
        text = urlencode({name: str(value) for name, value in query.items() if value is not None})
        headers = self._headers(text.encode())
        return self._open(self._http.get(f"{path}?{text}" if text else path, headers=headers))

    def post(self, path: str, body: Mapping[str, object], *, idempotency_key: str | None = None) -> Any:
        """The `data` of a POST; raises ApiError."""
        raw = json.dumps(body).encode()
        headers = self._headers(raw) | {"Content-Type": "application/json"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return self._open(self._http.post(path, content=raw, headers=headers))

    def _headers(self, content: bytes) -> dict[str, str]:
        return signed_headers(self._api_key, self._api_secret, content, int(self._now() * 1000))

    @staticmethod
    def _open(response: httpx.Response) -> Any:
        answer = response.json()
        if not response.is_success:
            raise ApiError(answer)
        return answer["data"]
