"""The page over HTTP: its address and its one form."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bpn.api.pages.kit import PageKit
from bpn.api.route import Transaction
from bpn.chapters.provider import operations
from bpn.chapters.provider.errors import SubWalletNotFound
from bpn.chapters.provider.model import ProviderTerms

FOLDER = Path(__file__).parent
PREFIX = "/collect"
Opener = Callable[[], AbstractAsyncContextManager[Transaction]]


class CollectionPages:
    """The hosted pages of providers' customers.

    Args of the constructor:
        terms: the chapter's terms.
        kit: what pages are made with.
        read: opens a transaction to look things up.
        write: opens one to change something.
        after_commit: called when something was changed.
    """

    def __init__(
        self, terms: ProviderTerms, kit: PageKit, *, read: Opener, write: Opener, after_commit: Callable[[], None]
    ) -> None:
        self._terms = terms
        self._kit = kit
        self._read = read
        self._write = write
        self._after_commit = after_commit

    def routes(self) -> list[Route]:
        """Every address of the page."""
        path = f"{PREFIX}/{{token}}"
        return [
            Route(path, self.show, methods=["GET"]),
            Route(f"{path}/confirm", self.confirm, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page as it is now."""
        try:
            async with self._read() as tx:
                wallet = await operations.find_collection_page(tx, request.path_params["token"])
        except SubWalletNotFound:
            return self._kit.page(request, "not_found.html", status=404)
        networks = [
            (network.name, [currency for currency, token in network.tokens.items() if token.deposits_enabled])
            for network in self._terms.wallet.networks.values()
        ]
        state = "confirm" if wallet.confirmed_at is None else wallet.status.value.lower()
        return self._kit.page(request, "collect.html", wallet=wallet, state=state, networks=networks)

    async def confirm(self, request: Request) -> Response:
        """Take the customer's word that the name is its own; show where to be paid."""
        token = request.path_params["token"]
        try:
            async with self._write() as tx:
                await operations.confirm_name(tx, token)
        except SubWalletNotFound:
            return self._kit.page(request, "not_found.html", status=404)
        self._after_commit()
        return self._kit.redirect(request, f"{PREFIX}/{token}")
