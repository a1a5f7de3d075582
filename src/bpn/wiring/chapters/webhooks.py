"""How the webhooks chapter is built in."""

from __future__ import annotations

from contextlib import AsyncExitStack

from bpn.adapters.webhook.poster import HttpWebhookPoster
from bpn.api.route import Route, collect
from bpn.chapters.webhooks.jobs import WebhookJobs
from bpn.chapters.webhooks.routes import WebhookRoutes
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House


def webhook_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(WebhookRoutes(house.webhook_terms))


async def webhook_work(house: House, closing: AsyncExitStack) -> Work:
    """Events out of facts, and their deliveries."""
    poster = HttpWebhookPoster(allow_private_addresses=house.settings.sandbox)
    closing.push_async_callback(poster.close)
    jobs = WebhookJobs(house.database.transaction, house.webhook_terms, poster, house.clock)
    closing.push_async_callback(jobs.settle)
    return Work(jobs.jobs(), [jobs.listener()])
