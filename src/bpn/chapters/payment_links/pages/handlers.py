"""The page over HTTP: its address, its forms, and its changes as they happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import structlog
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bpn.api.pages.kit import PageKit, digest_of
from bpn.api.pages.languages import Language
from bpn.api.pages.watchers import EventStream, Watchers
from bpn.api.route import Transaction
from bpn.chapters.payment_links import operations, rules
from bpn.chapters.payment_links.errors import PaymentLinkNotFound, RateUnavailable
from bpn.chapters.payment_links.model import LinkTerms, Payer, PaymentLink
from bpn.chapters.payment_links.operations.paying import PayerPage
from bpn.chapters.payment_links.pages.view import PREFIX, View, view_of
from bpn.kernel.errors import InvalidRequest, InvalidState, Kind, Refusal

FOLDER = Path(__file__).parent
_LARGEST_FORM = 16_384
_LONGEST_FIELD = 128
log = structlog.get_logger(__name__)

Opener = Callable[[], AbstractAsyncContextManager[Transaction]]


class PaymentPages:
    """The hosted pages of payment links.

    Args of the constructor:
        terms: the chapter's terms.
        kit: what pages are made with.
        watchers: who watches which page in this process.
        read: opens a transaction to look things up.
        write: opens one to change something.
        after_commit: called when something was changed.
    """

    def __init__(
        self,
        terms: LinkTerms,
        kit: PageKit,
        watchers: Watchers,
        *,
        read: Opener,
        write: Opener,
        after_commit: Callable[[], None],
    ) -> None:
        self._terms = terms
        self._kit = kit
        self._watchers = watchers
        self._read = read
        self._write = write
        self._after_commit = after_commit

    def routes(self) -> list[Route]:
        """Every address of the page."""
        path = f"{PREFIX}/{{token}}"
        return [
            Route(path, self.show, methods=["GET"]),
            Route(f"{path}/choice", self.choose, methods=["POST"]),
            Route(f"{path}/change", self.change, methods=["POST"]),
            Route(f"{path}/price", self.renew, methods=["POST"]),
            Route(f"{path}/payer", self.take_payer, methods=["POST"]),
            Route(f"{path}/events", self.follow, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page as it is now."""
        return await self._shown(request)

    async def _shown(
        self,
        request: Request,
        form: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        """The page, with a form as it was filled in and what is wrong with it, by field the key of a message."""
        language = self._kit.language(request)
        async with self._read() as tx:
            try:
                page = await operations.find_payer_page(self._terms, tx, request.path_params["token"])
            except PaymentLinkNotFound:
                return self._kit.page(request, "not_found.html", status=404)
            now = tx.now
        words = self._words(page, language, errors or {})
        view = view_of(self._terms, page, language, now, form, words)
        text = self._fragment(view, language)
        view.seen, view.fragment = digest_of(text), Markup(text)  # noqa: S704 - made by a template that escapes
        return self._kit.page(request, "pay.html", status=status, v=view)

    def _fragment(self, view: View, language: Language) -> str:
        return self._kit.fragment("state.html", language, v=view)

    @staticmethod
    def _words(page: PayerPage, language: Language, errors: Mapping[str, str]) -> dict[str, Markup]:
        currency = page.view.link.fiat_asset.currency
        return {name: language.say(key, currency=currency) for name, key in errors.items()}

    async def choose(self, request: Request) -> Response:
        """Take the choice of currency and network; show where to pay."""
        form = await _read_form(request)
        currency, _, network = form.get("way", "").partition("@")

        async def choose(tx: Transaction, token: str) -> PaymentLink:
            return await operations.choose_way(
                self._terms, tx, token, currency=currency, network=network, fiat_amount=form.get("amount")
            )

        return await self._changed(request, choose, form, {"way": "pay.way_wrong", "amount": "pay.amount_wrong"}, "way")

    async def change(self, request: Request) -> Response:
        """Go back to the choice."""

        async def change(tx: Transaction, token: str) -> PaymentLink:
            return await operations.change_way(self._terms, tx, token)

        return await self._changed(request, change)

    async def renew(self, request: Request) -> Response:
        """Take the price of now."""

        async def renew(tx: Transaction, token: str) -> PaymentLink:
            return await operations.renew_price(self._terms, tx, token)

        return await self._changed(request, renew)

    async def take_payer(self, request: Request) -> Response:
        """Take who pays."""
        form = await _read_form(request)
        payer = _payer(form)
        faults = dict.fromkeys(rules.missing_of(payer), "payer.required")
        if form.get("source") == "platform" and not payer.platform:
            faults["platform"] = "payer.required"
        if form.get("declaration") != "yes":
            faults["declaration"] = "payer.agree"
        if faults:
            return await self._shown(request, form, faults, 422)

        async def give(tx: Transaction, token: str) -> PaymentLink:
            return await operations.give_payer(self._terms, tx, token, payer)

        return await self._changed(request, give)

    async def _changed(
        self,
        request: Request,
        work: Callable[[Transaction, str], Any],
        form: Mapping[str, str] | None = None,
        messages: Mapping[str, str] | None = None,
        general: str | None = None,
    ) -> Response:
        """Do what a form asks, then send the reader to the page; where it is refused, show the form and why."""
        try:
            async with self._write() as tx:
                link = await work(tx, request.path_params["token"])
        except PaymentLinkNotFound:
            return self._kit.page(request, "not_found.html", status=404)
        except InvalidState:
            # Another tab or a payment was faster: the page tells.
            return self._kit.redirect(request, f"{PREFIX}/{request.path_params['token']}")
        except InvalidRequest as refusal:
            known = messages or {}
            wrong = {fault.field: known[fault.field] for fault in refusal.errors if fault.field in known}
            return await self._shown(request, form, wrong, 422)
        except Refusal as refusal:
            log.info("page.refused", code=refusal.code)
            if refusal.kind is not Kind.UNAVAILABLE or general is None:
                return await self._shown(request, form, {}, 409)
            key = "pay.no_price" if isinstance(refusal, RateUnavailable) else "pay.paused"
            return await self._shown(request, form, {general: key}, 503)
        self._after_commit()
        return self._kit.redirect(request, f"{PREFIX}/{link.token}")

    async def follow(self, request: Request) -> Response | EventStream:
        """The changes of the page, for scripts."""
        token = request.path_params["token"]
        async with self._read() as tx:
            try:
                page = await operations.find_payer_page(self._terms, tx, token)
            except PaymentLinkNotFound:
                return Response(status_code=404)
        language = self._kit.language(request)

        async def render() -> str:
            async with self._read() as tx:
                page = await operations.find_payer_page(self._terms, tx, token)
                return self._fragment(view_of(self._terms, page, language, tx.now), language)

        seen = request.headers.get("last-event-id") or request.query_params.get("seen")
        return self._watchers.stream(operations.topic_of(page.view.link), language.code, seen, render)


def _payer(form: Mapping[str, str]) -> Payer:
    company = form.get("kind") == "company"
    return Payer(
        name_unavailable=False,
        company=company,
        first_name=None if company else form.get("firstName") or None,
        last_name=None if company else form.get("lastName") or None,
        company_name=form.get("companyName") or None if company else None,
        country=form.get("country") or None,
        platform=form.get("platform") or None if form.get("source") == "platform" else None,
    )


async def _read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form, trimmed; what is too large counts as not filled in."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM:
            return {}
    pairs = parse_qsl(body.decode("latin-1"), encoding="utf-8", errors="replace")
    return {name: value.replace("\x00", "").strip()[:_LONGEST_FIELD] for name, value in pairs}
