"""Pure decisions of the payment links chapter: what is due, what a payment is to a link, what may follow."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import get_currency_precision, is_currency

from bpn.chapters.payment_links.errors import RefundUneconomic
from bpn.chapters.payment_links.model import (
    AMOUNT_LABELS,
    COUNTING,
    NEXT,
    NEXT_OF_FUND,
    SETTLING,
    Abnormal,
    AbnormalFund,
    Action,
    Amount,
    Case,
    FundStatus,
    Label,
    LinkSettings,
    LinkStatus,
    LinkType,
    MatchReason,
    Number,
    Payer,
    Payment,
    PaymentLink,
    PaymentStatus,
    Timing,
    TokenKind,
    Verdict,
)
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidRequest, InvalidState
from bpn.kernel.money import Money, exact_context

_SHOWN_DECIMALS = 6
"""Of an amount to be typed into a wallet: what most of them take."""
_PRINTABLE_FROM = 0x21
_DELETE = 0x7F
_NEAR_SECONDS = 3600 * 24


def _load(text: str) -> Mapping[Case, Verdict]:
    cells: list[dict[str, Any]] = tomllib.loads(text)["cells"]
    return {
        Case(Amount(cell["amount"]), Timing(cell["time"]), Number(cell["number"]), TokenKind(cell["token"])): Verdict(
            LinkStatus(cell["status"]),
            tuple(Label(label) for label in cell["labels"]),
            Abnormal(cell["abnormal"]),
            tuple(Label(label) for label in cell["fund_labels"]),
            frozenset(Action(action) for action in cell["actions"]),
        )
        for cell in cells
    }


MATRIX = _load((files("bpn.chapters.payment_links") / "matrix.toml").read_text(encoding="utf-8"))
"""What becomes of money that comes for a link, by case: the data file decides."""


def judge(
    link: PaymentLink, payment: Payment, earlier: Sequence[Payment], settings: LinkSettings
) -> tuple[Case, Verdict]:
    """What a payment is to its link together with what came before it, and what the matrix says of that.

    Args:
        link: as it stands before the payment is decided.
        payment: what came.
        earlier: what came before, of the same token, and is part of the same sum.
        settings: what the merchant's links keep to.
    """
    due = link.choice.amount if link.choice else payment.amount
    asset = payment.amount.asset
    total = sum((other.amount.minor for other in earlier), payment.amount.minor)
    case = Case(
        amount_class(total, due if due.asset == asset else in_asset(due, asset), settings),
        timing(link, payment),
        Number.SEVERAL if earlier else Number.ONE,
        token_kind(due.asset, asset),
    )
    return case, MATRIX[case]


def sums_with(payment: Payment, others: Sequence[Payment]) -> list[Payment]:
    """What came before a payment and is part of the same sum: decided or ready, no duplicate, of the same token."""
    return [
        other
        for other in others
        if other.transaction_id != payment.transaction_id
        and other.amount.asset == payment.amount.asset
        and other.status in {PaymentStatus.READY, PaymentStatus.RECEIVED, PaymentStatus.ABNORMAL}
        and Label.DUPLICATE not in other.labels
    ]


def token_kind(chosen: Asset, came: Asset) -> TokenKind:
    """Of what a payment is, as to the payer's choice."""
    if chosen == came:
        return TokenKind.RIGHT
    return TokenKind.OTHER_NETWORK if chosen.currency == came.currency else TokenKind.OTHER


def in_asset(amount: Money, asset: Asset) -> Money:
    """The same number of units of another asset, rounded down."""
    with exact_context():
        return Money(int(amount.to_decimal().scaleb(asset.scale).to_integral_value(rounding=ROUND_DOWN)), asset)


def timing(link: PaymentLink, payment: Payment) -> Timing:
    """When a payment came: what counts is the time of its block."""
    if link.completed_at is not None:
        return Timing.AFTER_COMPLETION
    ended = link.cancelled_at is not None and payment.block_time >= link.cancelled_at
    if ended or (link.expires_at is not None and payment.block_time >= link.expires_at):
        return Timing.LATE
    return Timing.IN_TIME


def amount_class(total: int, due: Money, settings: LinkSettings) -> Amount:
    """Whether minor units that came are what is due, within the tolerance."""
    slack = settings.slack(due)
    if total < due.minor - slack:
        return Amount.UNDER
    return Amount.OVER if total > due.minor + slack else Amount.EXACT


def labels_after(labels: Iterable[Label], case: Case, verdict: Verdict) -> tuple[Label, ...]:
    """A link's labels once a payment is judged: of its amount the newest word counts, all else stays."""
    kept = set(labels)
    if case.token is TokenKind.RIGHT and case.time is not Timing.AFTER_COMPLETION:
        kept -= AMOUNT_LABELS
    return ordered(kept | set(verdict.labels))


def ordered(labels: Iterable[Label]) -> tuple[Label, ...]:
    """Labels, each once, in the order in which they are listed."""
    given = set(labels)
    return tuple(label for label in Label if label in given)


def in_time(link: PaymentLink, payments: Iterable[Payment]) -> list[Payment]:
    """What counts, or will once it is settled: the right token, in time."""
    if link.choice is None:
        return []
    return [
        payment
        for payment in payments
        if payment.status in COUNTING
        and payment.amount.asset == link.choice.amount.asset
        and timing(replace(link, completed_at=None), payment) is Timing.IN_TIME
    ]


def may_expire(link: PaymentLink, payments: Sequence[Payment], settings: LinkSettings) -> bool:
    """Whether a link whose time is over is EXPIRED: not while what came in time suffices and is not settled yet."""
    if link.choice is None:
        return True
    came = in_time(link, payments)
    settling = any(payment.status in SETTLING for payment in came)
    total = sum(payment.amount.minor for payment in came)
    return not settling or amount_class(total, link.choice.amount, settings) is Amount.UNDER


def payable_amount(fiat: Money, price: Decimal, asset: Asset) -> Money:
    """What pays an amount of a national currency at a price (fiat per unit): rounded up to six decimals at most.

    Raises:
        InvalidRequest: it is nothing at all.
    """
    decimals = min(asset.scale, _SHOWN_DECIMALS)
    with exact_context():
        units = (fiat.to_decimal() / price).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_CEILING)
        return Money(int(units.scaleb(asset.scale)), asset)


def fiat_asset(currency: str) -> Asset:
    """A national currency as an asset, with the decimals that ISO 4217 gives it.

    Raises:
        InvalidRequest: there is no such currency.
    """
    if not is_currency(currency):
        raise InvalidRequest.of("fiatCurrency", "is not an ISO 4217 code, such as USD")
    return Asset(currency, None, int(get_currency_precision(currency)))


def check_return_url(url: str) -> str:
    """A URL that a payer may be sent back to, as given.

    Raises:
        InvalidRequest: not https, a name before the host, odd characters, or no host.
    """
    fault = None
    if any(ord(letter) < _PRINTABLE_FROM or ord(letter) == _DELETE for letter in url) or "\\" in url:
        fault = "holds spaces, control characters or a backslash"
    elif not url.lower().startswith("https://"):
        fault = "must begin with https://"
    else:
        try:
            parts = urlsplit(url)
            if not parts.hostname or parts.port == 0:
                fault = "names no host"
            elif "@" in parts.netloc:
                fault = "must not hold a name or password before the host"
            else:
                parts.hostname.encode("idna")
        except ValueError:
            fault = "is not a URL"
    if fault is not None:
        raise InvalidRequest.of("returnUrl", fault)
    return url


def host_of(url: str) -> str:
    """The host of a return URL in ASCII, so that no letter looks like another."""
    return (urlsplit(url).hostname or "").encode("idna").decode()


def check_payer(payer: Payer) -> None:
    """Raise InvalidRequest where the travel rule needs what is missing."""
    errors = missing_of(payer)
    if errors:
        raise InvalidRequest.of(f"payerInfo.{errors[0]}", "is required, or payerNameUnavailable must be true")


def missing_of(payer: Payer) -> list[str]:
    """The fields that are missing to say who pays, as the wire names them."""
    wanted = (
        [("companyName", payer.company_name)]
        if payer.company
        else [("firstName", payer.first_name), ("lastName", payer.last_name)]
    )
    return [name for name, value in [*wanted, ("country", payer.country)] if not value]


def sender_details(payer: Payer) -> dict[str, object]:
    """Who pays, in the words of Add Deposit Sender."""
    return {
        "depositOriginator": 1,
        "orgType": int(payer.company),
        "bnfType": 1,
        "orgFirstName": payer.first_name,
        "orgLastName": payer.last_name,
        "country": payer.country,
        "corpName": payer.company_name,
        "corpCountry": payer.country if payer.company else None,
        "receiveFrom": 1 if payer.platform else 2,
        "vasp": "others" if payer.platform else None,
        "vaspName": payer.platform,
        "declaration": True,
    }


def check_transition(status: LinkStatus, following: LinkStatus) -> None:
    """Raise InvalidState unless a link may go from one state to the other."""
    if following not in NEXT.get(status, frozenset()):
        raise InvalidState(f"The payment link is {status}; it cannot become {following}.")


def check_fund_transition(status: FundStatus, following: FundStatus) -> None:
    """Raise InvalidState unless a fund may go from one state to the other."""
    if following not in following_of(status):
        raise InvalidState(f"The abnormal fund is {status}; it cannot become {following}.")


def following_of(status: FundStatus) -> frozenset[FundStatus]:
    """What a fund may become."""
    return NEXT_OF_FUND.get(status, frozenset())


def check_refund(amount: Money, fee: Money) -> None:
    """Raise RefundUneconomic unless something is left of a refund after the network's fee."""
    if amount <= fee:
        raise RefundUneconomic(
            f"A refund costs {fee} {fee.asset.currency}, and the fund has {amount}: nothing would arrive."
        )


def match_reasons(
    link: PaymentLink, due: Money, remaining: Money, fund: AbnormalFund, settings: LinkSettings
) -> tuple[MatchReason, ...]:
    """Why a fund may belong to a link, the strongest first."""
    reasons = []
    if fund.payment_id == link.payment_id:
        reasons.append(MatchReason.SAME_ADDRESS)
    if fund.amount == due:
        reasons.append(MatchReason.EXACT_AMOUNT)
    elif fund.amount == remaining:
        reasons.append(MatchReason.REMAINING_AMOUNT)
    elif amount_class(fund.amount.minor, due, settings) is Amount.EXACT:
        reasons.append(MatchReason.WITHIN_TOLERANCE)
    else:
        reasons.append(MatchReason.NEAR_AMOUNT)
    if link.choice is not None and link.choice.amount.asset.network == fund.amount.asset.network:
        reasons.append(MatchReason.SAME_NETWORK)
    if abs((fund.created_at - link.effective_at).total_seconds()) < _NEAR_SECONDS:
        reasons.append(MatchReason.CLOSE_IN_TIME)
    return tuple(reasons)


def match_rank(link: PaymentLink, due: Money, reasons: Sequence[MatchReason], fund: AbnormalFund) -> tuple[Any, ...]:
    """What sorts links that a fund could pay, best first."""
    order = list(MatchReason)
    return (min(order.index(reason) for reason in reasons), abs(fund.amount.minor - due.minor), -link.payment_id)


def may_link(fund: AbnormalFund, link: PaymentLink) -> bool:
    """Whether a link takes a fund's token and still waits for money."""
    return (
        link.completed_at is None
        and link.link_type is LinkType.ONE_TIME
        and fund.amount.asset.currency in link.currencies
        and (fund.amount.asset.network or "") in link.networks
    )


def time_is_over(link: PaymentLink, now: datetime) -> bool:
    """Whether a link's time is over."""
    return link.expires_at is not None and now >= link.expires_at
