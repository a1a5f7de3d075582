"""The webhooks chapter's refusals."""

from bpn.kernel.errors import Kind, Refusal


class WebhookEndpointNotFound(Refusal):
    """This merchant has no such endpoint."""

    code = "WEBHOOK_ENDPOINT_NOT_FOUND"
    kind = Kind.MISSING


class WebhookEventNotFound(Refusal):
    """There is no such event, or it is older than events are kept."""

    code = "WEBHOOK_EVENT_NOT_FOUND"
    kind = Kind.MISSING


class TooManyEndpoints(Refusal):
    """The merchant has as many endpoints as it may have."""

    code = "LIMIT_EXCEEDED"
    kind = Kind.UNPROCESSABLE


class ApiKeyNotUsable(Refusal):
    """The key that shall sign is not a living key of this merchant."""

    code = "API_KEY_NOT_USABLE"
    kind = Kind.UNPROCESSABLE
