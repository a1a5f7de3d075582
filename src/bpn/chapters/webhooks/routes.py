"""The webhooks chapter over HTTP."""

from __future__ import annotations

from bpn.api.fields import Page, PageRequest, page_of
from bpn.api.route import Merchant, Permission, Transaction, get, post
from bpn.chapters.webhooks import errors, operations, schemas
from bpn.chapters.webhooks.model import WebhookTerms
from bpn.chapters.webhooks.operations import EndpointCommand


class WebhookRoutes:
    """The chapter's operations on the terms that the operator set."""

    def __init__(self, terms: WebhookTerms) -> None:
        self._terms = terms

    @post(
        "/v1/webhook/resend-fail",
        title="Resend Fail Webhook",
        source="public-name",
        permission=Permission.ADMIN,
    )
    async def resend_failed(
        self, tx: Transaction, merchant: Merchant, request: schemas.ResendRequest
    ) -> schemas.Resent:
        """Send failed events again at once, with the same event ids."""
        return schemas.Resent(resent=await operations.resend_failed(tx, merchant.merchant_id, request.filters()))

    @post(
        "/v1/webhook/endpoint/set",
        title="Set Webhook Endpoint",
        source="ours",
        permission=Permission.ADMIN,
        refusals=(
            errors.WebhookEndpointNotFound,
            errors.ApiKeyNotUsable,
            errors.TooManyEndpoints,
        ),
    )
    async def set_webhook_endpoint(
        self, tx: Transaction, merchant: Merchant, request: schemas.EndpointRequest
    ) -> schemas.Endpoint:
        """Make an endpoint, or change one. A new one's secret is shown here and never again."""
        endpoint = await operations.set_webhook_endpoint(
            self._terms,
            tx,
            merchant.merchant_id,
            EndpointCommand(
                None if request.endpoint_id is None else int(request.endpoint_id),
                request.url,
                None if request.event_types is None else tuple(request.event_types),
                request.enabled,
                request.api_key,
            ),
        )
        return schemas.Endpoint.of(endpoint, show_secret=request.endpoint_id is None)

    @get("/v1/webhook/endpoint/list", title="List Webhook Endpoints", source="ours")
    async def list_webhook_endpoints(
        self, tx: Transaction, merchant: Merchant, _query: schemas.EndpointListQuery
    ) -> schemas.EndpointList:
        """The endpoints of the merchant, newest first."""
        endpoints = await operations.list_webhook_endpoints(self._terms, tx, merchant.merchant_id)
        return schemas.EndpointList(list=[schemas.Endpoint.of(endpoint) for endpoint in endpoints])

    @post(
        "/v1/webhook/endpoint/delete",
        title="Delete Webhook Endpoint",
        source="ours",
        permission=Permission.ADMIN,
        refusals=(errors.WebhookEndpointNotFound,),
    )
    async def delete_webhook_endpoint(
        self, tx: Transaction, merchant: Merchant, request: schemas.EndpointReference
    ) -> schemas.Endpoint:
        """Remove an endpoint; what waited for it is dropped."""
        endpoint = await operations.delete_webhook_endpoint(
            self._terms, tx, merchant.merchant_id, int(request.endpoint_id)
        )
        return schemas.Endpoint.of(endpoint)

    @post(
        "/v1/webhook/endpoint/rotate",
        title="Rotate Webhook Secret",
        source="ours",
        permission=Permission.ADMIN,
        refusals=(errors.WebhookEndpointNotFound,),
    )
    async def rotate_webhook_secret(
        self, tx: Transaction, merchant: Merchant, request: schemas.EndpointReference
    ) -> schemas.Endpoint:
        """Give an endpoint a new secret, shown here; the old one signs beside it for 24 hours."""
        endpoint = await operations.rotate_webhook_secret(
            self._terms, tx, merchant.merchant_id, int(request.endpoint_id)
        )
        return schemas.Endpoint.of(endpoint, show_secret=True)

    @post(
        "/v1/webhook/endpoint/test",
        title="Test Webhook Endpoint",
        source="ours",
        permission=Permission.ADMIN,
        refusals=(errors.WebhookEndpointNotFound,),
    )
    async def send_test_event(
        self, tx: Transaction, merchant: Merchant, request: schemas.EndpointReference
    ) -> schemas.TestEvent:
        """Send a TEST event to an endpoint; its tries are in the event list."""
        event = await operations.send_test_event(self._terms, tx, merchant.merchant_id, int(request.endpoint_id))
        return schemas.TestEvent(event_id=str(event.event_id))

    @get("/v1/webhook/event/list", title="List Webhook Events", source="ours")
    async def list_webhook_events(
        self, tx: Transaction, merchant: Merchant, query: schemas.EventQuery
    ) -> Page[schemas.WebhookEvent]:
        """The events of the merchant with every try to deliver them, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_webhook_events(
            tx, merchant.merchant_id, query.filters(), before=page.before, offset=page.offset, limit=page.size
        )
        return page_of(page, found.total, found.events, schemas.WebhookEvent.of, lambda row: row.event.sequence)
