"""All chapters: what each brings is added here."""

from __future__ import annotations

from contextlib import AsyncExitStack

from starlette.routing import BaseRoute

from bpn.adapters.mail.mailbox.pages import mailbox_pages
from bpn.api.route import Route
from bpn.wiring.chapters.accounts import account_pages, account_routes, account_work
from bpn.wiring.chapters.fx import fx_routes, fx_work
from bpn.wiring.chapters.kyb import kyb_routes, kyb_work
from bpn.wiring.chapters.orders import order_routes, order_work
from bpn.wiring.chapters.payment_links import payment_link_pages, payment_link_routes, payment_link_work
from bpn.wiring.chapters.provider import provider_pages, provider_routes, provider_work
from bpn.wiring.chapters.sandbox import sandbox_routes
from bpn.wiring.chapters.wallet import wallet_routes, wallet_work
from bpn.wiring.chapters.webhooks import webhook_routes, webhook_work
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House
from bpn.wiring.mail import has_mailbox, mailbox_folder


def routes(house: House) -> list[Route]:
    """Every route of the API, in the order of the document."""
    return [
        *wallet_routes(house),
        *kyb_routes(house),
        *account_routes(house),
        *payment_link_routes(house),
        *fx_routes(house),
        *order_routes(house),
        *provider_routes(house),
        *webhook_routes(house),
        *sandbox_routes(house),
    ]


def pages(house: House) -> list[BaseRoute]:
    """Every page for people, outside the signed API."""
    mailbox = mailbox_pages(mailbox_folder(house.settings)) if has_mailbox(house.settings) else []
    return [*account_pages(house), *payment_link_pages(house), *provider_pages(house), *mailbox]


async def work(house: House, closing: AsyncExitStack) -> list[Work]:
    """What a worker does for each chapter; `closing` takes down what that needs."""
    return [
        await fx_work(house, closing),
        await wallet_work(house, closing),
        kyb_work(house, closing),
        account_work(house, closing),
        payment_link_work(house),
        order_work(house),
        provider_work(house),
        await webhook_work(house, closing),
    ]
