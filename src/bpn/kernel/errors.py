"""Refusals: the answers that are no, each a sentence with a stable code. Faults are ordinary exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """Why something is refused; one table in `api.errors` turns kinds into HTTP."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    CONFLICT = "conflict"
    UNPROCESSABLE = "unprocessable"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, named as the wire names it."""

    field: str
    reason: str


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """A request that is understood and declined. Subclasses are sentences: `QuoteExpired`.

    Attributes:
        code: the stable word of the error catalogue, `INSUFFICIENT_BALANCE`.
        kind: decides the HTTP status.
        errors: the fields at fault, if any.
        keeps_changes: what was written before it was raised stays. Only for counting failed tries: nothing else may
            have been done.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind]
    keeps_changes: ClassVar[bool] = False

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)


class InvalidRequest(Refusal):
    """A field is missing, of the wrong type or out of range; `errors` lists each."""

    code = "INVALID_REQUEST"
    kind = Kind.INVALID

    @classmethod
    def of(cls, field: str, reason: str) -> InvalidRequest:
        """The refusal of one field."""
        return cls(f"{field} {reason}.", [FieldError(field, reason)])


class InvalidState(Refusal):
    """The thing is not in a state that allows this."""

    code = "INVALID_STATE"
    kind = Kind.CONFLICT


class IdempotencyConflict(Refusal):
    """The merchant's own id was used before, with other content."""

    code = "IDEMPOTENCY_CONFLICT"
    kind = Kind.CONFLICT
