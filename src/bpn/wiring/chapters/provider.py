"""How the provider chapter is built in."""

from __future__ import annotations

from starlette.routing import BaseRoute

from bpn.api.pages.kit import PageKit
from bpn.api.route import Route, collect
from bpn.chapters.provider.jobs import ProviderJobs
from bpn.chapters.provider.pages.handlers import FOLDER, CollectionPages
from bpn.chapters.provider.routes import ProviderRoutes
from bpn.jobs.job import collect_jobs
from bpn.jobs.relay import NAME as RELAY
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House


def provider_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(ProviderRoutes(house.provider_terms))


def provider_pages(house: House) -> list[BaseRoute]:
    """The page of a provider's customer."""
    pages = CollectionPages(
        house.provider_terms,
        PageKit(FOLDER, secure=house.settings.base_url.startswith("https://")),
        read=house.database.reading,
        write=house.database.transaction,
        after_commit=lambda: house.jobs.nudge(RELAY),
    )
    return list(pages.routes())


def provider_work(house: House) -> Work:
    """Deposits of customers, refunds, payouts, deadlines."""
    jobs = ProviderJobs(house.database.transaction, house.provider_terms)
    return Work(collect_jobs(jobs, "provider"), [jobs.listener()])
