"""Abnormal funds: find them and the links that they could pay, link them, have them returned or credited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN
from fractions import Fraction

from bpn.chapters.payment_links import rules
from bpn.chapters.payment_links.errors import AbnormalFundNotFound, PaymentLinkNotFound, RateUnavailable
from bpn.chapters.payment_links.model import (
    AbnormalFund,
    FundAction,
    FundFilter,
    FundStatus,
    Label,
    LinkStatus,
    LinkTerms,
    Match,
    Payment,
    PaymentLink,
    PaymentStatus,
)
from bpn.chapters.payment_links.operations.links import save_link
from bpn.chapters.payment_links.operations.receiving import save_fund
from bpn.chapters.payment_links.operations.settings import price_of, settings_of
from bpn.chapters.payment_links.operations.suspense import credit_fund
from bpn.chapters.payment_links.store import funds, links, payments
from bpn.chapters.wallet import operations as wallet
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import FieldError, InvalidRequest, InvalidState
from bpn.kernel.money import Money, exact_context

_NEAREST = 10
_SHOWN_MATCHES = 20


@dataclass(frozen=True, slots=True)
class FundPage:
    """A page of funds and how many match."""

    total: int
    funds: list[AbnormalFund]


async def list_abnormal_funds(
    tx: Transaction, merchant_id: int, filters: FundFilter, *, before: int | None, offset: int, limit: int
) -> FundPage:
    """Abnormal funds of a merchant, newest first."""
    total, found = await funds.page(tx, merchant_id, filters, before=before, offset=offset, limit=limit)
    return FundPage(total, found)


async def list_matchable_links(terms: LinkTerms, tx: Transaction, merchant_id: int, fund_id: int) -> list[Match]:
    """The merchant's unpaid links that a fund could pay, best first, with the reasons.

    Raises:
        AbnormalFundNotFound: this merchant has no such fund.
    """
    fund = await funds.find(tx, merchant_id, fund_id)
    if fund is None:
        raise AbnormalFundNotFound("There is no such abnormal fund.")
    if FundStatus.LINKED not in rules.following_of(fund.status):
        return []
    settings = await settings_of(terms, tx, merchant_id)
    candidates = await links.near(tx, merchant_id, fund.amount, await _worth(terms, tx, fund), _NEAREST)
    own = await links.find(tx, merchant_id, fund.payment_id)
    by_id = {link.payment_id: link for link in [*candidates, *([own] if own else [])]}
    possible = [link for link in by_id.values() if rules.may_link(fund, link)]
    came = await payments.of_links(tx, possible)
    ranked = []
    for link in possible:
        due = await _due_in(terms, tx, link, fund.amount.asset)
        if due is None:
            continue
        remaining = Money(max(0, due.minor - _ready(came[link.payment_id], due.asset)), due.asset)
        reasons = rules.match_reasons(link, due, remaining, fund, settings)
        ranked.append((rules.match_rank(link, due, reasons, fund), Match(link, due, reasons)))
    return [match for _, match in sorted(ranked, key=lambda pair: pair[0])][:_SHOWN_MATCHES]


def _ready(came: Sequence[Payment], asset: Asset) -> int:
    return sum(one.amount.minor for one in came if one.status is PaymentStatus.READY and one.amount.asset == asset)


async def _worth(terms: LinkTerms, tx: Transaction, fund: AbnormalFund) -> list[Money]:
    """What a fund is worth in the national currencies of the merchant's links."""
    worth = []
    for currency in await links.fiat_currencies(tx, fund.merchant_id):
        asset = rules.fiat_asset(currency)
        try:
            price = await price_of(terms, tx, currency, fund.amount.asset.currency)
        except RateUnavailable:
            continue
        with exact_context():
            minor = (fund.amount.to_decimal() * price).scaleb(asset.scale).to_integral_value(rounding=ROUND_DOWN)
        worth.append(Money(int(minor), asset))
    return worth


async def _due_in(terms: LinkTerms, tx: Transaction, link: PaymentLink, asset: Asset) -> Money | None:
    """What a link asks, in a token: as locked where the payer chose its currency, else at the price of now."""
    if link.choice is not None and link.choice.amount.asset.currency == asset.currency:
        return rules.in_asset(link.choice.amount, asset)
    if link.fiat is None:
        return None
    try:
        price = await price_of(terms, tx, link.fiat.asset.currency, asset.currency)
    except RateUnavailable:
        return None
    return rules.payable_amount(link.fiat, price, asset)


async def link_abnormal_fund(
    terms: LinkTerms, tx: Transaction, merchant_id: int, *, abnormal_fund_id: int, payment_id: int
) -> AbnormalFund:
    """Let a fund pay a link; it completes the link if all that is there for it suffices. Once only.

    Raises:
        AbnormalFundNotFound, PaymentLinkNotFound: this merchant has no such fund, or link.
        InvalidState: the fund is not PENDING, or the link takes no money of its kind any more.
        RateUnavailable: what the link asks in the fund's currency is not known now.
    """
    link = await links.lock(tx, merchant_id, payment_id)
    if link is None:
        raise PaymentLinkNotFound("There is no such payment link.")
    fund = await lock_fund(tx, merchant_id, abnormal_fund_id)
    rules.check_fund_transition(fund.status, FundStatus.LINKED)
    if not rules.may_link(fund, link):
        raise InvalidState(f"The payment link is {link.status}, or does not take {fund.amount.asset.code}.")
    due = await _due_in(terms, tx, link, fund.amount.asset)
    if due is None:
        raise RateUnavailable(f"What the link asks in {fund.amount.asset.currency} is not known now; try again.")
    linked = await save_fund(tx, replace(fund, status=FundStatus.LINKED, linked_payment_id=link.payment_id))
    return await _complete_if_enough(terms, tx, link, linked, due)


async def _complete_if_enough(
    terms: LinkTerms, tx: Transaction, link: PaymentLink, fund: AbnormalFund, due: Money
) -> AbnormalFund:
    """Pay a link with the funds linked to it and with what is ready at its address, if they suffice."""
    settings = await settings_of(terms, tx, link.merchant_id)
    others = [one for one in await funds.lock_linked(tx, link) if one.abnormal_fund_id != fund.abnormal_fund_id]
    came = (await payments.of_links(tx, [link]))[link.payment_id]
    ready = [one for one in came if one.status is PaymentStatus.READY]
    share = Fraction(0)
    for amount in [*(one.amount for one in others), *(one.amount for one in ready)]:
        asked = await _due_in(terms, tx, link, amount.asset)
        if asked is not None and asked.minor:
            share += Fraction(amount.minor, asked.minor)
    total = share + Fraction(fund.amount.minor, due.minor)
    slack = Fraction(settings.slack(due), due.minor)
    if total < 1 - slack:
        labels = rules.ordered({*link.labels, Label.UNDER})
        await save_link(tx, terms, replace(link, labels=labels, updated_at=tx.now))
        return fund
    rest = Money(int((total - 1) * due.minor), due.asset) if total > 1 + slack else Money.zero(due.asset)
    for payment in ready:
        await wallet.assign_deposit(tx, link.merchant_id, payment.transaction_id)
        await payments.put(
            tx, replace(payment, status=PaymentStatus.RECEIVED, counted=payment.amount, updated_at=tx.now)
        )
    for one in others:
        await credit_fund(tx, one, one.amount, link.wallet_id)
    await credit_fund(tx, fund, fund.amount - rest, link.wallet_id)
    if rest.minor:
        fund = await _split(tx, fund, rest)
    kept = {*link.labels, *((Label.OVER,) if rest.minor else ())} - {Label.UNDER}
    rules.check_transition(link.status, LinkStatus.COMPLETED)
    completed = replace(
        link, status=LinkStatus.COMPLETED, labels=rules.ordered(kept), completed_at=tx.now, updated_at=tx.now
    )
    await save_link(tx, terms, completed)
    return fund


async def _split(tx: Transaction, fund: AbnormalFund, rest: Money) -> AbnormalFund:
    """A fund that had more than the link asked: the rest becomes a fund of its own, still in suspense."""
    siblings = await funds.lock_of_deposit(tx, fund.merchant_id, fund.transaction_id)
    await save_fund(
        tx,
        replace(
            fund,
            abnormal_fund_id=tx.ids.next(),
            part=len(siblings) + 1,
            amount=rest,
            labels=(Label.OVER,),
            status=FundStatus.PENDING,
            linked_payment_id=None,
            created_at=tx.now,
        ),
    )
    return await save_fund(tx, replace(fund, amount=fund.amount - rest))


async def submit_abnormal_fund(
    terms: LinkTerms,
    tx: Transaction,
    merchant_id: int,
    *,
    abnormal_fund_id: int,
    action: FundAction,
    refund_address: str | None,
    reason: str,
) -> AbnormalFund:
    """Ask the platform to return a fund to an address that the payer confirmed, or to credit it to the merchant.

    Raises:
        AbnormalFundNotFound: this merchant has no such fund.
        InvalidState: it is decided, or on its way.
        InvalidRequest: no address to return it to, or one that is mistyped.
        RefundUneconomic: the network's fee takes all of it.
    """
    address = _refund_address(refund_address) if action is FundAction.REFUND else None
    fund = await lock_fund(tx, merchant_id, abnormal_fund_id)
    rules.check_fund_transition(fund.status, FundStatus.SUBMITTED)
    if fund.linked_payment_id is not None:
        target = await links.find(tx, merchant_id, fund.linked_payment_id)
        if target is not None and target.completed_at is not None:
            raise InvalidState("The fund has paid a link.")
    fee = None
    if action is FundAction.REFUND:
        fee = await wallet.refund_fee(terms.wallet, tx, merchant_id, fund.amount)
        rules.check_refund(fund.amount, fee)
    submitted = replace(
        fund,
        status=FundStatus.SUBMITTED,
        action=action,
        refund_address=address,
        reason=reason,
        fee=fee,
        linked_payment_id=None,
        refund_transaction_id=None,
    )
    return await save_fund(tx, submitted)


def _refund_address(text: str | None) -> str:
    if text is None:
        raise InvalidRequest.of("refundAddress", "is required for a REFUND")
    try:
        return wallet.parse_address(text)
    except InvalidRequest as refusal:
        raise InvalidRequest(
            refusal.message, [FieldError("refundAddress", fault.reason) for fault in refusal.errors]
        ) from None


async def lock_fund(tx: Transaction, merchant_id: int, abnormal_fund_id: int) -> AbnormalFund:
    """A fund, held. Raises AbnormalFundNotFound."""
    fund = await funds.lock(tx, merchant_id, abnormal_fund_id)
    if fund is None:
        raise AbnormalFundNotFound("There is no such abnormal fund.")
    return fund
