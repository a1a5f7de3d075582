"""The OpenAPI document: made from the routes by FastAPI's generator, so that it cannot differ from them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from bpn.api.errors import AT_THE_DOOR, AT_THE_DOOR_OF_POST, RequestInProgress, http_status
from bpn.api.fields import Wire
from bpn.api.route import Route
from bpn.kernel.errors import IdempotencyConflict, InvalidRequest, Refusal

Data = TypeVar("Data")

_DESCRIPTION = """
Stablecoin payments: wallets on real networks, deposits and withdrawals, transfers, signed webhooks.

**Signing.** Every request carries `API-KEY`, `API-TIMESTAMP` (Unix milliseconds) and `API-SIGNATURE`, the lower-case
hex HMAC-SHA256, keyed with the API secret, of `content + "&" + timestamp`. The content of a `GET` is its query string
as sent, without `?`; that of a `POST` is its raw body. `X-BPN-API-KEY`, `X-BPN-TIMESTAMP` and `X-BPN-SIGNATURE` are
equal. A signature is used once: sign every request anew.

**Signing, stronger** (*Ours*). Instead of the three headers a request may carry an HTTP Message Signature (RFC 9421):
`Signature-Input` and `Signature` over `@method`, `@target-uri` and, with a body, `content-digest` (RFC 9530, sha-256 or
sha-512), with the parameters `keyid` (the API key), `created` and `nonce`. The algorithm is hmac-sha256 with the API
secret, or ed25519 for a key that was made with a public key; such a key takes nothing else. A nonce is used once; the
same signed bytes again are a retry, the same nonce with any other signature is refused.

**Answers.** Every answer is the envelope `{status, msg, code, traceId, data}`. A refusal has a stable `code`, a `msg`
to act on, and in `data.errors` the fields at fault.

**Once.** A POST that moves money carries your own id; the same id with the same content gets the first answer again.
The header `Idempotency-Key` does the same on every POST.

Operations and fields marked *Ours* are additions to the public API.
"""


class Envelope(Wire, Generic[Data]):
    """What every good answer is wrapped in."""

    status: Annotated[int, Field(examples=[200])]
    msg: Annotated[None, Field(description="Null in a good answer.")]
    code: Annotated[None, Field(description="Null in a good answer.")]
    trace_id: Annotated[
        str, Field(description="Also in the header X-Trace-Id.", examples=["0af7651916cd43dd8448eb211c80319c"])
    ]
    data: Data


class FieldFault(Wire):
    """A field at fault."""

    field: Annotated[str, Field(examples=["amount"])]
    reason: Annotated[str, Field(examples=["must be greater than zero"])]


class Faults(Wire):
    """The fields at fault."""

    errors: list[FieldFault]


class RefusalEnvelope(Wire):
    """What every refusal looks like."""

    status: Annotated[int, Field(description="The HTTP status.", examples=[422])]
    msg: Annotated[str, Field(description="One sentence to act on.")]
    code: Annotated[str, Field(description="A stable word of the error catalogue.", examples=["INSUFFICIENT_BALANCE"])]
    trace_id: Annotated[str, Field(examples=["0af7651916cd43dd8448eb211c80319c"])]
    data: Faults | None


@dataclass(frozen=True, slots=True)
class EventDescription:
    """A webhook event as the document tells it. `data` is the model of the field `data`."""

    event_type: str
    description: str
    data: type[BaseModel]
    has_reference: bool = True


class Event(Wire, Generic[Data]):
    """The body of a webhook."""

    event_id: Annotated[str, Field(description="Stable across tries: use it to recognise repetitions.")]
    event_type: str
    timestamp: Annotated[int, Field(description="Unix milliseconds; strictly increasing for one object.")]
    reference_id: Annotated[str | None, Field(description="The object's id.")]
    status: Annotated[str | None, Field(description="The object's status.")]
    data: Data


class BareEvent(Wire, Generic[Data]):
    """The body of a webhook without reference and status."""

    event_id: Annotated[str, Field(description="Stable across tries: use it to recognise repetitions.")]
    event_type: str
    timestamp: Annotated[int, Field(description="Unix milliseconds; strictly increasing for one object.")]
    data: Data


def document(
    routes: Iterable[Route], events: Sequence[EventDescription], *, version: str, base_url: str
) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these routes and webhooks, as a JSON object."""
    described: dict[str, Any] = get_openapi(
        title="BPN API",
        version=version,
        description=_DESCRIPTION,
        routes=[_described(route) for route in routes],
        webhooks=[_described_event(event) for event in events],
        servers=[{"url": base_url}],
    )
    described["components"]["securitySchemes"] = {
        name: {"type": "apiKey", "in": "header", "name": name, "description": text}
        for name, text in (
            ("API-KEY", "The API key."),
            ("API-TIMESTAMP", "Unix milliseconds, as signed."),
            ("API-SIGNATURE", "Lower-case hex HMAC-SHA256 of content, `&` and timestamp."),
        )
    }
    described["security"] = [{"API-KEY": [], "API-TIMESTAMP": [], "API-SIGNATURE": []}]
    return described


def refusals_of(route: Route) -> list[type[Refusal]]:
    """All that a route may answer instead of its data."""
    refusals: list[type[Refusal]] = [*AT_THE_DOOR, InvalidRequest, *route.refusals]
    if route.method == "POST":
        refusals += [*AT_THE_DOOR_OF_POST, IdempotencyConflict, RequestInProgress]
    return list(dict.fromkeys(refusals))


def _described(route: Route) -> APIRoute:
    return APIRoute(
        route.path,
        _endpoint(route),
        methods=[route.method],
        operation_id=route.operation,
        summary=route.title,
        description=route.description,
        tags=[route.path.split("/")[2]],
        response_model=Envelope[route.answer],  # type: ignore[name-defined]  # the answer's type is the route's
        responses=_refusal_responses(refusals_of(route)),
        openapi_extra={"x-source": route.source, "x-permission": route.permission.value},
    )


def _endpoint(route: Route) -> Any:
    """A function that is never called: its signature tells the generator what the route takes."""

    async def endpoint() -> None:
        """Stand for the route in the document."""

    kind = Annotated[route.request, Query()] if route.method == "GET" else route.request
    parameter = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=kind)
    endpoint.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]  # functions carry one
    return endpoint


def _refusal_responses(refusals: Sequence[type[Refusal]]) -> dict[int | str, dict[str, Any]]:
    by_status: dict[int | str, dict[str, Any]] = {}
    for refusal in refusals:
        status = http_status(refusal)
        response = by_status.setdefault(
            status,
            {"model": RefusalEnvelope, "description": "", "content": {"application/json": {"examples": {}}}},
        )
        meaning = inspect.getdoc(refusal) or refusal.code
        response["description"] += f"{'; ' if response['description'] else ''}`{refusal.code}`"
        response["content"]["application/json"]["examples"][refusal.code] = {
            "summary": meaning,
            "value": _example(status, refusal.code, meaning),
        }
    by_status[500] = {"model": RefusalEnvelope, "description": "`INTERNAL_ERROR`: a fault here; quote the trace id."}
    by_status.setdefault(422, {"model": RefusalEnvelope, "description": "Not used by this operation."})
    return dict(sorted(by_status.items(), key=lambda item: int(item[0])))


def _example(status: int, code: str, meaning: str) -> Mapping[str, object]:
    return {
        "status": status,
        "msg": meaning,
        "code": code,
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "data": None,
    }


def _described_event(event: EventDescription) -> APIRoute:
    body = (Event if event.has_reference else BareEvent)[event.data]

    async def endpoint() -> None:
        """Stand for the event in the document."""

    parameter = inspect.Parameter("body", inspect.Parameter.KEYWORD_ONLY, annotation=body)
    endpoint.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]  # functions carry one
    return APIRoute(
        event.event_type,
        endpoint,
        methods=["POST"],
        operation_id=f"event_{event.event_type.lower()}",
        summary=event.event_type,
        description=event.description,
        tags=["events"],
        responses={
            200: {"description": "Any 2xx within 15 seconds is a receipt; all else is tried again."},
            422: {"description": "Tried again."},
        },
    )
