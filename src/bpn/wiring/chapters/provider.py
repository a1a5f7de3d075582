"""How the provider chapter is built in."""

from __future__ import annotations

from bpn.api.route import Route, collect
from bpn.chapters.provider.jobs import ProviderJobs
from bpn.chapters.provider.routes import ProviderRoutes
from bpn.jobs.job import collect_jobs
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House


def provider_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(ProviderRoutes(house.provider_terms))


def provider_work(house: House) -> Work:
    """Deposits of customers, refunds, payouts, deadlines."""
    jobs = ProviderJobs(house.database.transaction, house.provider_terms)
    return Work(collect_jobs(jobs, "provider"), [jobs.listener()])
