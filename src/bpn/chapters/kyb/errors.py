"""Refusals of the KYB chapter."""

from bpn.kernel.errors import Kind, Refusal


class SubUserNotFound(Refusal):
    """The merchant has no such sub user."""

    code = "SUB_USER_NOT_FOUND"
    kind = Kind.MISSING


class KybRequired(Refusal):
    """The sub user must be approved first (Share KYB/KYC Info For Sub User)."""

    code = "KYB_REQUIRED"
    kind = Kind.FORBIDDEN
