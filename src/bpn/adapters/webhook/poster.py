"""Posts a webhook once, within a time limit over all, and keeps little of the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore
import httpx

from bpn.adapters.webhook.guard import GuardedBackend, Resolver, resolve
from bpn.ports.senders import PostAnswer

_KEPT_BYTES = 1024
_LARGEST_POOL = 500


class HttpWebhookPoster:
    """The port's implementation over HTTP/1.1 with kept-alive connections."""

    def __init__(
        self, *, allow_private_addresses: bool, timeout_seconds: float = 15.0, resolver: Resolver = resolve
    ) -> None:
        self._timeout_seconds = timeout_seconds
        transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=_LARGEST_POOL), trust_env=False)
        if not allow_private_addresses:
            pool: httpcore.AsyncConnectionPool = transport._pool  # noqa: SLF001
            # httpx has no public way to set the network backend of its pool.
            pool._network_backend = GuardedBackend(pool._network_backend, resolver)  # noqa: SLF001
        self._client = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            timeout=timeout_seconds,
            trust_env=False,
            headers={"User-Agent": "BPN-Webhooks/1"},
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> PostAnswer:
        """Post once. A redirect is an answer like any other; what comes after the first KiB is not read."""
        began = time.monotonic()
        status, kept, error, retry_after = None, b"", None, None
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.stream("POST", url, content=body, headers=headers) as response,
            ):
                status = response.status_code
                retry_after = _retry_after(response.headers)
                async for chunk in response.aiter_raw():
                    kept += chunk
                    if len(kept) >= _KEPT_BYTES:
                        break
        except TimeoutError:
            status, error = None, f"no complete answer within {self._timeout_seconds:g} seconds"
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.ConnectError) as fault:
            # An answer whose status came but whose body broke off is an answer.
            error = None if status is not None else f"{type(fault).__name__}: {fault}"
        latency = round((time.monotonic() - began) * 1000)
        return PostAnswer(status, kept[:_KEPT_BYTES], error, retry_after, latency)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds that the receiver asks us to wait (RFC 9110 10.2.3: seconds or a date), None when it asks nothing."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value), 10**6)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, round((aware - datetime.now(UTC)).total_seconds()))
