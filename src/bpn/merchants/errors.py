"""Refusals about merchants and keys."""

from bpn.kernel.errors import Kind, Refusal


class MerchantNotFound(Refusal):
    """No merchant has this id."""

    code = "MERCHANT_NOT_FOUND"
    kind = Kind.MISSING


class ApiKeyNotFound(Refusal):
    """No such key, or it is revoked already."""

    code = "API_KEY_NOT_FOUND"
    kind = Kind.MISSING


class ApiKeyInUse(Refusal):
    """The key still signs webhooks and has no successor."""

    code = "API_KEY_IN_USE"
    kind = Kind.CONFLICT
