"""Refusals that the operator's controls cause."""

from bpn.kernel.errors import Kind, Refusal


class ServicePaused(Refusal):
    """Paused by the operator: nothing new begins; what is in flight goes on or waits."""

    code = "SERVICE_PAUSED"
    kind = Kind.UNAVAILABLE


class LimitExceeded(Refusal):
    """More than a limit allows; the sentence names the limit, what is used of it and when it begins anew."""

    code = "LIMIT_EXCEEDED"
    kind = Kind.UNPROCESSABLE


class SecondPersonRequired(Refusal):
    """The decision needs two people, and this one has decided already."""

    code = "SECOND_PERSON_REQUIRED"
    kind = Kind.CONFLICT
