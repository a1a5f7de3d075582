"""What a route is: a path, schema in, operation, schema out, and all that the document says of it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from bpn.api.fields import Wire
from bpn.database.pool import Transaction
from bpn.kernel.errors import Refusal
from bpn.merchants.model import Merchant, Permission

__all__ = ["Call", "Merchant", "Outcome", "Permission", "Route", "Transaction", "collect", "get", "post"]

Source = Literal["public", "public-name", "ours"]
_DEFAULT_BODY_LIMIT = 1024 * 1024
_LARGEST_BATCH = 256


Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class Call(Generic[Request]):
    """One accepted request: who asks, and what."""

    merchant: Merchant
    request: Request


Outcome = BaseModel | Refusal
"""What becomes of a call."""

Handler = Callable[[Transaction, Sequence[Call[Any]]], Awaitable[Sequence[Outcome]]]


@dataclass(frozen=True, slots=True)
class Route:
    """An API operation over HTTP.

    Attributes:
        operation: its name, as in the contract.
        handle: runs a batch of calls in one transaction; a lone handler gets batches of one.
        largest_batch: how many calls may share a transaction.
        claim_field: the request field with the merchant's own id, for operations that must happen once.
        reading: a POST that changes nothing; a replay of it simply answers.
        refusals: what it may answer besides what the door refuses.
    """

    operation: str
    method: Literal["GET", "POST"]
    path: str
    permission: Permission
    request: type[Wire]
    answer: Any
    handle: Handler
    largest_batch: int
    claim_field: str | None
    reading: bool
    body_limit: int
    refusals: tuple[type[Refusal], ...]
    source: Source
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class _Mark:
    method: Literal["GET", "POST"]
    path: str
    permission: Permission
    claim_field: str | None
    reading: bool
    body_limit: int
    refusals: tuple[type[Refusal], ...]
    source: Source
    title: str
    batches: bool


Function = TypeVar("Function", bound=Callable[..., Any])


def get(
    path: str,
    *,
    title: str,
    source: Source,
    refusals: tuple[type[Refusal], ...] = (),
    permission: Permission = Permission.READ,
    batches: bool = False,
) -> Callable[[Function], Function]:
    """Mark a method `(self, tx, merchant, query) -> answer` as the route of a GET; with `batches` as for `post`."""
    return _marking(_Mark("GET", path, permission, None, True, 0, refusals, source, title, batches))


def post(
    path: str,
    *,
    title: str,
    source: Source,
    permission: Permission,
    refusals: tuple[type[Refusal], ...] = (),
    claim_field: str | None = None,
    reading: bool = False,
    batches: bool = False,
    body_limit: int = _DEFAULT_BODY_LIMIT,
) -> Callable[[Function], Function]:
    """Mark a method as the route of a POST.

    Args:
        path: below `/v1`.
        title: the name in the public reference.
        source: where the operation comes from, as in the contract.
        permission: what the key must be allowed.
        refusals: what it may answer besides what the door refuses.
        claim_field: the wire name of the merchant's own id.
        reading: changes nothing.
        batches: the method is `(self, tx, calls) -> outcomes` for many calls in one transaction.
        body_limit: bytes.
    """
    return _marking(_Mark("POST", path, permission, claim_field, reading, body_limit, refusals, source, title, batches))


def _marking(mark: _Mark) -> Callable[[Function], Function]:
    def marking(function: Function) -> Function:
        function.__route__ = mark  # type: ignore[attr-defined]  # functions carry attributes
        return function

    return marking


def collect(routes: object) -> list[Route]:
    """The routes among an object's methods, in the order they are written."""
    members = [getattr(routes, name) for name in vars(type(routes))]
    return [_route(member, member.__route__) for member in members if hasattr(member, "__route__")]


def _route(method: Callable[..., Any], mark: _Mark) -> Route:
    hints = get_type_hints(method)
    request, answer = (
        (_call_type(hints["calls"]), _answer_type(hints["return"]))
        if mark.batches
        else (hints[list(inspect.signature(method).parameters)[2]], hints["return"])
    )
    return Route(
        operation=method.__name__,
        method=mark.method,
        path=mark.path,
        permission=mark.permission,
        request=request,
        answer=answer,
        handle=method if mark.batches else _lone(method),
        largest_batch=_LARGEST_BATCH if mark.batches else 1,
        claim_field=mark.claim_field,
        reading=mark.reading,
        body_limit=mark.body_limit,
        refusals=mark.refusals,
        source=mark.source,
        title=mark.title,
        description=inspect.getdoc(method) or "",
    )


def _lone(method: Callable[..., Any]) -> Handler:
    async def handle(tx: Transaction, calls: Sequence[Call[Any]]) -> Sequence[Outcome]:
        (call,) = calls
        return [await method(tx, call.merchant, call.request)]

    return handle


def _call_type(hint: Any) -> Any:
    """`TransferRequest` of `Sequence[Call[TransferRequest]]`."""
    (item,) = get_args(hint)
    return get_args(item)[0]


def _answer_type(hint: Any) -> Any:
    """`TransactionRecord` of `list[TransactionRecord | Refusal]`."""
    (item,) = get_args(hint)
    return next(part for part in get_args(item) if not issubclass(get_origin(part) or part, Refusal))
