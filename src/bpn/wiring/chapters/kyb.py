"""How the KYB chapter is built in."""

from __future__ import annotations

from contextlib import AsyncExitStack

from bpn.api.route import Route, collect
from bpn.chapters.kyb.jobs import KybJobs
from bpn.chapters.kyb.routes import KybRoutes
from bpn.jobs.job import collect_jobs
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House
from bpn.wiring.screening import screening_reader


def kyb_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(KybRoutes(house.kyb_terms))


def kyb_work(house: House, closing: AsyncExitStack) -> Work:
    """Screening of new sub users."""
    screening = screening_reader(house.settings, closing)
    return Work(collect_jobs(KybJobs(house.database.transaction, house.kyb_terms, screening), "kyb"))
