"""The fx chapter's refusals."""

from bpn.kernel.errors import Kind, Refusal

__all__ = ["RateNotFound", "RateUnavailable", "UnsupportedCurrency"]


class RateUnavailable(Refusal):
    """There is no fresh rate for this pair: the source is silent, or what it said waits for the operator."""

    code = "RATE_UNAVAILABLE"
    kind = Kind.UNAVAILABLE


class UnsupportedCurrency(Refusal):
    """The currency is not offered here."""

    code = "UNSUPPORTED_CURRENCY"
    kind = Kind.UNPROCESSABLE


class RateNotFound(Refusal):
    """There is no such rate to decide on."""

    code = "RATE_NOT_FOUND"
    kind = Kind.MISSING
