"""How the payment links chapter is built in."""

from __future__ import annotations

from starlette.routing import BaseRoute

from bpn.api.pages.kit import PageKit
from bpn.api.route import Route, collect
from bpn.chapters.payment_links.jobs import PaymentLinkJobs
from bpn.chapters.payment_links.pages.handlers import FOLDER, PaymentPages
from bpn.chapters.payment_links.routes import PaymentLinkRoutes
from bpn.jobs.job import collect_jobs
from bpn.jobs.relay import NAME as RELAY
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House


def payment_link_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(PaymentLinkRoutes(house.link_terms))


def payment_link_pages(house: House) -> list[BaseRoute]:
    """The hosted page, and the static files that all pages share."""
    kit = PageKit(FOLDER, secure=house.settings.base_url.startswith("https://"))
    pages = PaymentPages(
        house.link_terms,
        kit,
        house.watchers,
        read=house.database.reading,
        write=house.database.transaction,
        after_commit=lambda: house.jobs.nudge(RELAY),
    )
    return [*pages.routes(), kit.static_route()]


def payment_link_work(house: House) -> Work:
    """What follows from deposits, and the ends of links."""
    jobs = PaymentLinkJobs(house.database.transaction, house.link_terms)
    return Work(collect_jobs(jobs, "payment_links"), [jobs.listener()])
