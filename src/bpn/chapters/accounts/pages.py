"""The QR code of a virtual account as a picture, for whoever has its URL: a random token, no signature."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bpn.banking.qr_images import qr_png, qr_svg
from bpn.chapters.accounts import operations
from bpn.chapters.accounts.model import AccountTerms
from bpn.jobs.job import TransactionOpener

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class AccountPages:
    """The chapter's pictures."""

    def __init__(self, terms: AccountTerms, open_transaction: TransactionOpener) -> None:
        self._terms = terms
        self._open_transaction = open_transaction

    def routes(self) -> list[BaseRoute]:
        """The public URLs."""
        return [Route("/virtual-account/qr/{token}", self.account_code)]

    async def account_code(self, request: Request) -> Response:
        """A PNG, or an SVG where the query says `format=svg`."""
        async with self._open_transaction() as tx:
            code = await operations.find_account_code(self._terms, tx, request.path_params["token"])
        if code is None:
            return Response("There is no such code.", 404, _HEADERS, "text/plain")
        if request.query_params.get("format") == "svg":
            return Response(qr_svg(code), 200, _HEADERS, "image/svg+xml")
        return Response(qr_png(code), 200, _HEADERS, "image/png")
