"""The door: every signed request comes in here and every answer goes out here.

Order of refusals: path, method, missing header, key, IP, timestamp, signature, replay, rate, suspended, permission,
body, idempotency, business. Two faults always give the same answer. Nothing is sent before it is committed.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl

import psycopg
import structlog
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from bpn.api import idempotency, replay, signing
from bpn.api.corridor import Corridor, Errand
from bpn.api.credentials import Credentials
from bpn.api.encoding import (
    check_text,
    decode_body,
    encode_data,
    envelope,
    fault_envelope,
    invalid_request,
    refusal_envelope,
)
from bpn.api.errors import (
    BodyTooLarge,
    IpNotAllowed,
    MerchantSuspended,
    MethodNotAllowed,
    PermissionDenied,
    RouteNotFound,
    Unavailable,
    UnknownApiKey,
    UnsupportedMediaType,
    http_status,
)
from bpn.api.gathering import Gathering
from bpn.api.measures import REQUESTS
from bpn.api.rate import RateLimit
from bpn.api.route import Call, Outcome, Route
from bpn.api.tracing import TRACE_ID, trace_id_of
from bpn.database.pool import Database
from bpn.kernel.clock import Clock, to_milliseconds
from bpn.kernel.encryption import Cipher
from bpn.kernel.errors import InvalidRequest, Refusal
from bpn.kernel.spans import TRACING, remote_parent, span
from bpn.merchants.model import Credential

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger(__name__)
_LONGEST_CLAIM = 128


@dataclass(frozen=True, slots=True)
class DoorTerms:
    """What an operator may set about the door.

    Attributes:
        window_seconds: how far a timestamp may be from now.
        requests_per_second: of one key; None for as many as it likes.
        public_url: what clients reach this installation by, as they sign it; None to take the Host header's word.
    """

    window_seconds: int
    requests_per_second: int | None = None
    public_url: str | None = None


class Door:
    """An ASGI application for the API's paths; everything else goes to `beyond` (documents, pages, health)."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        database: Database,
        cipher: Cipher,
        credentials: Credentials,
        clock: Clock,
        terms: DoorTerms,
        after_commit: Callable[[], None],
        beyond: Application,
    ) -> None:
        self._routes = {(route.method, route.path): route for route in routes}
        self._methods: dict[str, list[str]] = {}
        for route in self._routes.values():
            self._methods.setdefault(route.path, []).append(route.method)
        self._corridors = {
            route.path: Corridor(route, database, cipher) for route in self._routes.values() if route.method == "POST"
        }
        self._readings = {
            route.path: Gathering(partial(_read, database, route), route.largest_batch)
            for route in self._routes.values()
            if route.method == "GET"
        }
        self._database = database
        self._credentials = credentials
        self._clock = clock
        self._terms = terms
        self._rate = RateLimit(database, terms.requests_per_second)
        self._after_commit = after_commit
        self._beyond = beyond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith("/v1"):
            await self._beyond(scope, receive, send)
            return
        started = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        trace_id = trace_id_of(headers.get(b"traceparent"))
        route = self._routes.get((scope["method"], path))
        TRACE_ID.set(trace_id)
        if TRACING.tracer is None:
            status, body, more_headers = await self._answer(route, scope, headers, receive, trace_id)
        else:
            status, body, more_headers = await self._traced_answer(route, scope, headers, receive, trace_id)
        REQUESTS.labels(route.operation if route else "none", str(status)).observe(time.perf_counter() - started)
        response_headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-trace-id", trace_id.encode()),
            *more_headers,
        ]
        await send({"type": "http.response.start", "status": status, "headers": response_headers})
        await send({"type": "http.response.body", "body": body})

    async def _traced_answer(
        self, route: Route | None, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, trace_id: str
    ) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
        """As `_answer`, in a span of the trace that the caller is in, if it says so."""
        path = route.path if route else "unknown path"
        attributes = {"http.request.method": scope["method"], "http.route": path}
        parent = remote_parent(headers.get(b"traceparent", b"").decode("latin-1"))
        with span(f"{scope['method']} {path}", attributes, kind=SpanKind.SERVER, parent=parent) as opened:
            status, body, more_headers = await self._answer(route, scope, headers, receive, trace_id)
            if opened is not None:
                opened.set_attribute("http.response.status_code", status)
        return status, body, more_headers

    async def _answer(
        self, route: Route | None, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, trace_id: str
    ) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
        try:
            data = await self._data(route, scope, headers, receive)
        except Refusal as refusal:
            log.info("refused", code=refusal.code, path=scope["path"])
            wait = getattr(refusal, "retry_after_seconds", None)
            headers_of_refusal = [] if wait is None else [(b"retry-after", str(wait).encode())]
            return http_status(refusal), refusal_envelope(trace_id, refusal), headers_of_refusal
        except Exception:
            log.exception("fault", path=scope["path"])
            return 500, fault_envelope(trace_id), []
        return 200, envelope(trace_id, data), []

    async def _data(self, route: Route | None, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        if route is None:
            raise self._no_route(scope)
        if route.method == "GET":
            return await self._get(route, scope, headers)
        return await self._post(route, scope, headers, await _read_body(receive, headers, route.body_limit))

    def _no_route(self, scope: Scope) -> Refusal:
        allowed = self._methods.get(scope["path"])
        if allowed is None:
            return RouteNotFound("There is nothing at this path; the operations are listed at /docs.")
        return MethodNotAllowed(f"This path takes {' or '.join(allowed)}.")

    async def _get(self, route: Route, scope: Scope, headers: Mapping[bytes, bytes]) -> bytes:
        query: bytes = scope["query_string"]
        given = self._signature(scope, headers)
        credential = await self._credential(given, scope)
        now = self._clock.wall()
        given.check_time(to_milliseconds(now), self._terms.window_seconds)
        given.check(credential, now, query=query, body=None)
        await self._rate.check(credential)
        _check_standing(credential, route)
        request = _read_query(route, query)
        outcome = await self._readings[route.path].run(Call(credential.merchant, request))
        if isinstance(outcome, Refusal):
            raise outcome
        return encode_data(outcome)

    async def _post(self, route: Route, scope: Scope, headers: Mapping[bytes, bytes], body: bytes) -> bytes:
        given = self._signature(scope, headers)
        credential = await self._credential(given, scope)
        now = self._clock.wall()
        timestamp = given.check_time(to_milliseconds(now), self._terms.window_seconds)
        given.check(credential, now, query=scope["query_string"], body=body)
        merchant_id = credential.merchant.merchant_id
        seen = replay.Seen.of(merchant_id, given, timestamp, route.path, self._terms.window_seconds)
        try:
            await self._rate.check(credential)
            _check_standing(credential, route)
            request = _read_body_fields(route, headers, body)
            claim = _claim(route, merchant_id, request, seen, headers, body)
            errand = Errand(credential.merchant, seen, request, None, claim)
        except Refusal as refusal:
            errand = Errand(credential.merchant, seen, None, refusal, None)
        result = await self._corridors[route.path].run(errand)
        self._after_commit()
        if isinstance(result, Refusal):
            raise result
        return result

    def _signature(self, scope: Scope, headers: Mapping[bytes, bytes]) -> signing.Signature:
        return signing.signature_of(scope, headers, self._terms.public_url, self._terms.window_seconds)

    async def _credential(self, given: signing.Signature, scope: Scope) -> Credential:
        credential = await self._credentials.find(given.api_key)
        if credential is None:
            raise UnknownApiKey("There is no such API key, or it is revoked.")
        if credential.allowed_ips:
            client = ip_address(scope["client"][0])
            if not any(client in network for network in credential.allowed_ips):
                raise IpNotAllowed(f"This API key may not be used from {client}.")
        self._credentials.note_use(credential, self._clock.wall())
        return credential


async def _read(database: Database, route: Route, calls: Sequence[Call[Any]]) -> Sequence[Outcome]:
    """Run GETs of one route; a lone one's refusal is its outcome."""
    try:
        async with database.reading() as tx:
            return await route.handle(tx, calls)
    except Refusal as refusal:
        return [refusal] * len(calls)
    except psycopg.OperationalError as error:
        log.warning("unavailable", error=str(error))
        return [Unavailable("The service is busy; try again.")] * len(calls)


def _check_standing(credential: Credential, route: Route) -> None:
    if credential.merchant.suspended:
        raise MerchantSuspended("This merchant is suspended; write to the operator.")
    if route.permission not in credential.permissions:
        raise PermissionDenied(f"This API key lacks the permission {route.permission.value!r}.")


async def _read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    too_large = BodyTooLarge(f"The body may have at most {limit} bytes.")
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Unavailable("The client went away before its request was read.")
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > limit:
            raise too_large
        if not message.get("more_body", False):
            return body


def _read_query(route: Route, query: bytes) -> object:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace")
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise InvalidRequest.of(name, "is given twice")
        check_text(name, value)
        values[name] = value
    # An empty value counts as absent.
    return _validate(route, {name: value for name, value in values.items() if value}, strict=False)


def _read_body_fields(route: Route, headers: Mapping[bytes, bytes], body: bytes) -> object:
    media_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if media_type != b"application/json":
        raise UnsupportedMediaType("A POST needs the header Content-Type: application/json.")
    return _validate(route, decode_body(body), strict=True)


def _validate(route: Route, values: Mapping[str, object], *, strict: bool) -> object:
    try:
        return route.request.model_validate(values, strict=strict)
    except ValidationError as error:
        raise invalid_request(error) from None


def _claim(
    route: Route, merchant_id: int, request: object, seen: replay.Seen, headers: Mapping[bytes, bytes], body: bytes
) -> idempotency.Claim | None:
    """The merchant's own id: the field of the operation, else the header, else the signature itself."""
    if route.reading:
        return None
    key = getattr(request, _attribute(route), None) if route.claim_field else None
    header = headers.get(b"idempotency-key", b"").decode("latin-1").strip()
    if len(header) > _LONGEST_CLAIM:
        raise InvalidRequest.of("Idempotency-Key", f"must have at most {_LONGEST_CLAIM} characters")
    if key is None and header:
        key = f"header:{header}"
    if key is None and route.claim_field:
        key = f"signature:{seen.signature.hex()}"
    return None if key is None else idempotency.Claim(
        merchant_id, route.operation, key, idempotency.fingerprint(body)
    )  # fmt: skip


def _attribute(route: Route) -> str:
    """The schema's attribute of the claim field."""
    for name, info in route.request.model_fields.items():
        if route.claim_field in {name, info.alias}:
            return name
    raise AssertionError(route.claim_field)
