"""From a link, as the operations know it, to what the templates show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

import segno
from markupsafe import Markup

from bpn.api.pages.languages import Language
from bpn.chapters.payment_links import rules
from bpn.chapters.payment_links.model import (
    SETTLING,
    Label,
    LinkSettings,
    LinkStatus,
    LinkTerms,
    LinkType,
    Payment,
    PaymentLink,
    PaymentStatus,
)
from bpn.chapters.payment_links.operations.links import ways
from bpn.chapters.payment_links.operations.paying import PayerPage
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.money import Money

PREFIX = "/pay"
_WITHOUT_SCRIPT_SECONDS = 15
_MARKED_DIGITS = 6
_SHOWN_HASH_DIGITS = 10
_NOTHING = Markup()


@dataclass(frozen=True, slots=True)
class Moment:
    """A time for people and for scripts."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the payer must know. `kind`: warn or good."""

    kind: str
    icon: str
    title: Markup
    text: Markup


@dataclass(frozen=True, slots=True)
class Option:
    """A way to pay as it is offered."""

    value: str
    currency: str
    network: str
    amount: str | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction on chain as it is shown."""

    amount: str
    currency: str
    hash: str
    short: str
    href: str | None


@dataclass(slots=True)
class View:
    """What the templates read, by name."""

    step: str
    path: str
    title: Markup
    said: str
    now: int
    merchant: str
    initial: str
    fiat: str | None
    fiat_currency: str
    remark: str | None
    order_no: str | None
    reference: str
    expires: Moment | None
    support: str | None
    support_href: str | None
    support_link: Markup | None
    return_url: str | None
    return_host: str | None
    transactions: list[Transaction]
    notices: list[Notice] = field(default_factory=list)
    watch: str | None = None
    refresh_seconds: int | None = None
    seen: str = ""
    fragment: Markup = _NOTHING
    form: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Markup] = field(default_factory=dict)
    # choosing
    open_amount: bool = False
    options: list[Option] = field(default_factory=list)
    price_note: Markup | None = None
    countries: list[tuple[str, str]] = field(default_factory=list)
    # paying
    amount: str = ""
    currency: str = ""
    network: str = ""
    address: str = ""
    address_marked: Markup = _NOTHING
    uri: str = ""
    qr_full: Markup = _NOTHING
    qr_plain: Markup = _NOTHING
    price_until: bool = False
    until: int | None = None
    until_text: str = ""
    may_change: bool = False
    # what came
    received: str | None = None
    counted: str = ""
    due: str = ""
    confirmations: int = 0
    required: int = 0
    percent: int = 0


class Defaulting(dict[str, Any]):
    """A form or its errors: a name that is not there is empty."""

    def __missing__(self, key: str) -> None:
        return None


def view_of(
    terms: LinkTerms,
    page: PayerPage,
    language: Language,
    now: datetime,
    form: Mapping[str, str] | None = None,
    errors: Mapping[str, Markup] | None = None,
) -> View:
    """What the page of a link shows now, in a language; with a form as filled in and what was wrong with it."""
    link = page.view.link
    view = _frame(page, language, now)
    view.form, view.errors = Defaulting(form or {}), Defaulting(errors or {})
    view.step = _step(page, now)
    if link.choice is not None:
        _add_choice(terms, page, view, language)
    _add_notices(page, view, language)
    if view.step == "choose":
        _add_options(terms, page, view, language)
    if view.step == "payer":
        view.countries = _countries(language)
    view.said = str(_said(view, language))
    view.transactions = [_transaction(terms, payment) for payment in page.view.payments if _shown(payment)]
    if view.step in {"pay", "price", "seen", "review", "expired"} or page.view.payments:
        view.watch = f"{view.path}/events"
    if view.step in {"pay", "price", "seen", "review"}:
        view.refresh_seconds = _WITHOUT_SCRIPT_SECONDS
    return view


def _frame(page: PayerPage, language: Language, now: datetime) -> View:
    link, settings = page.view.link, page.settings
    href = _support_href(settings.support)
    expires = None
    if link.expires_at is not None:
        expires = Moment(link.expires_at.isoformat(timespec="seconds"), language.time(link.expires_at))
    name = link.recipient_name.strip()
    return View(
        step="",
        path=f"{PREFIX}/{link.token}",
        title=language.say("pay.title", merchant=name),
        said="",
        now=to_milliseconds(now),
        merchant=name,
        initial=(next((letter for letter in name if letter.isalnum()), "•")).upper(),
        fiat=None if link.fiat is None else language.fiat(link.fiat.to_decimal(), link.fiat.asset.currency),
        fiat_currency=link.fiat_asset.currency,
        remark=link.product_remark,
        order_no=link.user_order_no,
        reference=str(link.payment_id),
        expires=expires,
        support=settings.support,
        support_href=href,
        support_link=None if href is None else Markup('<a href="{}">{}</a>').format(href, settings.support),
        return_url=link.return_url,
        return_host=None if link.return_url is None else rules.host_of(link.return_url),
        transactions=[],
    )


def _support_href(support: str | None) -> str | None:
    if support is None:
        return None
    if urlsplit(support).scheme == "https":
        return support
    return f"mailto:{quote(support, safe='@')}" if "@" in support else None


def _step(page: PayerPage, now: datetime) -> str:
    link = page.view.link
    if link.status is LinkStatus.COMPLETED:
        return "done"
    if link.link_type is LinkType.PERMANENT and link.status is LinkStatus.ACTIVE:
        return "choose"
    came = rules.in_time(link, page.view.payments)
    waiting = [payment for payment in came if payment.status in SETTLING]
    covered = sum(payment.amount.minor for payment in came) >= _least(link, page.settings)
    ended = link.status in {LinkStatus.EXPIRED, LinkStatus.CANCELLED}
    if waiting and (covered or ended):
        return _settling_step(link, waiting)
    if ended:
        return link.status.value
    return "expired" if rules.time_is_over(link, now) else _paying_step(link, now)


def _paying_step(link: PaymentLink, now: datetime) -> str:
    if link.choice is None:
        return "choose"
    if not link.payer_known:
        return "payer"
    return "price" if link.seen_at is None and now >= link.choice.price_expires_at else "pay"


def _least(link: PaymentLink, settings: LinkSettings) -> int:
    due = link.choice.amount if link.choice else None
    return 0 if due is None else due.minor - settings.slack(due)


def _settling_step(link: PaymentLink, waiting: list[Payment]) -> str:
    if any(payment.status is PaymentStatus.CONFIRMING for payment in waiting):
        return "seen"
    if not link.payer_known and any(payment.status is PaymentStatus.REVIEWING for payment in waiting):
        return "payer"
    return "review"


def _add_choice(terms: LinkTerms, page: PayerPage, view: View, language: Language) -> None:
    link = page.view.link
    choice = link.choice
    if choice is None:
        return
    due = choice.amount
    network = terms.wallet.networks[due.asset.network or ""]
    came = rules.in_time(link, page.view.payments)
    total = sum((payment.amount.minor for payment in came), 0)
    view.currency, view.network = due.asset.currency, _network_title(language, network.name)
    view.due = str(due)
    view.received = str(Money(total, due.asset)) if total else None
    view.counted = str(Money(sum(payment.counted.minor for payment in page.view.payments), due.asset))
    if view.counted == "0":
        view.counted = view.due
    confirming = [payment for payment in came if payment.status is PaymentStatus.CONFIRMING]
    if confirming:
        last = min(confirming, key=lambda payment: payment.confirmations)
        view.confirmations, view.required = last.confirmations, last.required_confirmations
        view.percent = 100 * last.confirmations // max(1, last.required_confirmations)
    if view.step != "pay" or link.address is None:
        return
    rest = Money(max(0, due.minor - total), due.asset)
    view.amount, view.address = str(rest), link.address
    view.address_marked = _marked(link.address)
    contract = network.tokens[due.asset.currency].contract
    view.uri = f"ethereum:{contract}@{network.chain_id}/transfer?address={link.address}&uint256={rest.minor}"
    view.qr_full, view.qr_plain = _qr(view.uri), _qr(link.address)
    view.price_until = link.seen_at is None
    until = choice.price_expires_at if view.price_until else link.expires_at
    if until is not None:
        view.until = to_milliseconds(until)
        view.until_text = language.time(until)
    view.may_change = link.seen_at is None and len(ways(terms, link.currencies, link.networks)) > 1


def _marked(address: str) -> Markup:
    """An address with its two ends marked: what people compare."""
    head, middle, tail = address[:_MARKED_DIGITS], address[_MARKED_DIGITS:-_MARKED_DIGITS], address[-_MARKED_DIGITS:]
    return Markup("<b>{}</b>{}<b>{}</b>").format(head, middle, tail)


def _qr(text: str) -> Markup:
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        omitsize=True,
        border=1,
        dark="#14201c",
        svgclass=None,
        lineclass=None,
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - drawn by the library from bits


def _add_options(terms: LinkTerms, page: PayerPage, view: View, language: Language) -> None:
    link = page.view.link
    view.open_amount = link.fiat is None
    asked = view.form["way"]
    view.options = [
        Option(
            value=f"{way.currency}@{way.network}",
            currency=way.currency,
            network=_network_title(language, way.network),
            amount=None if way.amount is None else str(way.amount),
            chosen=f"{way.currency}@{way.network}" == asked or (not asked and place == 0),
        )
        for place, way in enumerate(page.ways)
    ]
    minutes = int(terms.price_lifetime.total_seconds() // 60)
    view.price_note = language.say("pay.price_note", minutes=minutes)


def _network_title(language: Language, name: str) -> str:
    return language.messages.get(f"network.{name}", name)


def _countries(language: Language) -> list[tuple[str, str]]:
    names = [
        (code, name) for code, name in language.locale.territories.items() if len(code) == 2 and code.isalpha()  # noqa: PLR2004 - ISO 3166-1 alpha-2
        and code not in {"EU", "EZ", "UN", "ZZ", "XA", "XB", "QO", "AC", "CP", "DG", "EA", "IC", "TA", "CQ"}
    ]  # fmt: skip
    return sorted(names, key=lambda pair: pair[1])


def _add_notices(page: PayerPage, view: View, language: Language) -> None:
    """What came and does not pay this: where it is, and what to do."""
    for payment in page.view.payments:
        money = {"amount": str(payment.amount), "currency": payment.amount.asset.currency}
        labels = set(payment.labels)
        if payment.status is not PaymentStatus.ABNORMAL:
            if Label.OVER in labels and payment.counted.minor:
                rest = str(payment.amount - payment.counted)
                view.notices.append(
                    _notice(language, "over", {"amount": rest, "currency": money["currency"]}, text="pay.over_text")
                )
        elif Label.WRONG_CURRENCY in labels:
            view.notices.append(_notice(language, "wrong_currency", money, text="pay.wrong_text"))
        elif Label.WRONG_NETWORK in labels:
            view.notices.append(_notice(language, "wrong_network", money, text="pay.wrong_text"))
        elif Label.DUPLICATE in labels:
            view.notices.append(_notice(language, "duplicate", money, title="pay.duplicate_title"))
        elif Label.LATE in labels:
            view.notices.append(_notice(language, "late", money))
        elif view.step in {"expired", "cancelled"}:
            view.notices.append(_notice(language, "under", money))


def _notice(
    language: Language, name: str, values: Mapping[str, str], *, title: str | None = None, text: str | None = None
) -> Notice:
    return Notice(
        "warn",
        "info",
        language.say(title or f"pay.{name}_title", **values),
        language.say(text or f"pay.{name}_text", **values),
    )


def _said(view: View, language: Language) -> str:
    """What a screen reader says when the page has changed."""
    if view.step == "seen":
        return language.say("pay.seen_said", confirmations=view.confirmations, required=view.required)
    if view.step == "done":
        return language.say("pay.done_said")
    if view.step == "review":
        return language.say("pay.review_title")
    if view.step == "expired":
        return language.say("pay.expired_title")
    if view.step == "pay" and view.received:
        return language.say("pay.partial_title", received=view.received, due=view.due, currency=view.currency)
    return view.title


def _shown(payment: Payment) -> bool:
    return payment.status is not PaymentStatus.ORPHANED


def _transaction(terms: LinkTerms, payment: Payment) -> Transaction:
    network = terms.wallet.networks.get(payment.amount.asset.network or "")
    explorer = None if network is None else network.explorer_url
    digits = payment.hash
    return Transaction(
        amount=str(payment.amount),
        currency=payment.amount.asset.currency,
        hash=digits,
        short=f"{digits[:_SHOWN_HASH_DIGITS]}…{digits[-_MARKED_DIGITS:]}",
        href=None if explorer is None else f"{explorer.rstrip('/')}/tx/{digits}",
    )
