"""The door's own refusals, and the one table that turns kinds of refusal into HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from bpn.kernel.errors import Kind, Refusal

STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.MISSING: 404,
    Kind.CONFLICT: 409,
    Kind.UNPROCESSABLE: 422,
    Kind.UNAVAILABLE: 503,
}


def http_status(refusal: Refusal | type[Refusal]) -> int:
    """The HTTP status of a refusal: its kind's, unless HTTP has a word of its own for it."""
    return getattr(refusal, "http_status", STATUS[refusal.kind])


class MalformedJson(Refusal):
    """The body is not a JSON object."""

    code = "MALFORMED_JSON"
    kind = Kind.INVALID


class UnsupportedMediaType(Refusal):
    """A POST must say that it carries JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    kind = Kind.INVALID
    http_status = 415


class BodyTooLarge(Refusal):
    """The body is larger than this operation takes."""

    code = "BODY_TOO_LARGE"
    kind = Kind.INVALID
    http_status = 413


class MissingCredentials(Refusal):
    """One of the three headers of the signature is missing."""

    code = "MISSING_CREDENTIALS"
    kind = Kind.UNAUTHENTICATED


class UnknownApiKey(Refusal):
    """No living key has this name."""

    code = "UNKNOWN_API_KEY"
    kind = Kind.UNAUTHENTICATED


class TimestampOutOfWindow(Refusal):
    """The request was signed too long ago, or in the future."""

    code = "TIMESTAMP_OUT_OF_WINDOW"
    kind = Kind.UNAUTHENTICATED


class InvalidSignature(Refusal):
    """The signature is not that of this request with this key."""

    code = "INVALID_SIGNATURE"
    kind = Kind.UNAUTHENTICATED


class ReplayedRequest(Refusal):
    """This signature was used before."""

    code = "REPLAYED_REQUEST"
    kind = Kind.UNAUTHENTICATED


class IpNotAllowed(Refusal):
    """The key may not be used from this address."""

    code = "IP_NOT_ALLOWED"
    kind = Kind.FORBIDDEN


class MerchantSuspended(Refusal):
    """The merchant is suspended."""

    code = "MERCHANT_SUSPENDED"
    kind = Kind.FORBIDDEN


class PermissionDenied(Refusal):
    """The key lacks the permission that the operation asks for."""

    code = "PERMISSION_DENIED"
    kind = Kind.FORBIDDEN


class RequestInProgress(Refusal):
    """A request with the same id is being worked on; ask again for its answer."""

    code = "REQUEST_IN_PROGRESS"
    kind = Kind.CONFLICT


class RouteNotFound(Refusal):
    """There is nothing at this path."""

    code = "ROUTE_NOT_FOUND"
    kind = Kind.MISSING


class MethodNotAllowed(Refusal):
    """The path exists, for another method."""

    code = "METHOD_NOT_ALLOWED"
    kind = Kind.INVALID
    http_status = 405


class RateLimited(Refusal):
    """The key asks more often than it may; `retry_after_seconds` is the header Retry-After."""

    code = "RATE_LIMITED"
    kind = Kind.UNAVAILABLE
    http_status = 429

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(Refusal):
    """The service cannot answer just now; nothing happened, try again."""

    code = "UNAVAILABLE"
    kind = Kind.UNAVAILABLE


AT_THE_DOOR: tuple[type[Refusal], ...] = (
    MissingCredentials,
    UnknownApiKey,
    IpNotAllowed,
    TimestampOutOfWindow,
    InvalidSignature,
    RateLimited,
    MerchantSuspended,
    PermissionDenied,
    Unavailable,
)
"""What any signed request may be refused with."""

AT_THE_DOOR_OF_POST: tuple[type[Refusal], ...] = (
    ReplayedRequest,
    UnsupportedMediaType,
    BodyTooLarge,
    MalformedJson,
)
"""What any signed request with a body may be refused with besides."""
