"""What a payer does on the hosted page: choose a way, say who pays, get a new price."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bpn.chapters.payment_links import events, rules
from bpn.chapters.payment_links.errors import PaymentLinkNotFound
from bpn.chapters.payment_links.model import (
    OPEN,
    Choice,
    LinkSettings,
    LinkStatus,
    LinkTerms,
    LinkType,
    LinkView,
    Payer,
    PaymentLink,
)
from bpn.chapters.payment_links.operations.links import earmark_of, save_link, views_of, ways
from bpn.chapters.payment_links.operations.settings import price_of, settings_of
from bpn.chapters.payment_links.store import links
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import Status
from bpn.database.pool import Transaction
from bpn.kernel.errors import FieldError, InvalidRequest, InvalidState, Refusal
from bpn.kernel.ids import random_token
from bpn.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Way:
    """A way to pay. `amount`: what it would cost now; None where no amount or no price is known."""

    currency: str
    network: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class PayerPage:
    """All that the page of a link shows."""

    view: LinkView
    settings: LinkSettings
    ways: tuple[Way, ...]


async def find_payer_page(terms: LinkTerms, tx: Transaction, token: str) -> PayerPage:
    """What the page of a public token shows.

    Raises:
        PaymentLinkNotFound: nobody's token.
    """
    link = await _find(tx, token)
    (view,) = await views_of(terms, tx, [link])
    settings = await settings_of(terms, tx, link.merchant_id)
    offered = await _priced_ways(terms, tx, link) if _chooses(link) else ()
    return PayerPage(view, settings, offered)


def _chooses(link: PaymentLink) -> bool:
    return link.status is LinkStatus.INIT or (link.link_type is LinkType.PERMANENT and link.status is LinkStatus.ACTIVE)


async def _priced_ways(terms: LinkTerms, tx: Transaction, link: PaymentLink) -> tuple[Way, ...]:
    offered = []
    for currency, network in ways(terms, link.currencies, link.networks):
        amount = None
        if link.fiat is not None:
            try:
                price = await price_of(terms, tx, link.fiat_asset.currency, currency)
            except Refusal:
                offered.append(Way(currency, network, None))
                continue
            amount = rules.payable_amount(link.fiat, price, terms.wallet.networks[network].tokens[currency].asset)
        offered.append(Way(currency, network, amount))
    return tuple(offered)


async def _find(tx: Transaction, token: str) -> PaymentLink:
    # What no token can hold, no database need be asked for.
    link = await links.find_by_token(tx, token) if token.isascii() and token.isprintable() else None
    if link is None:
        raise PaymentLinkNotFound("There is no such payment link.")
    return link


async def _lock(tx: Transaction, token: str) -> PaymentLink:
    found = await _find(tx, token)
    link = await links.lock(tx, found.merchant_id, found.payment_id)
    return link or found


async def choose_way(
    terms: LinkTerms, tx: Transaction, token: str, *, currency: str, network: str, fiat_amount: str | None
) -> PaymentLink:
    """Fix what a link is paid with: the price now, an address of its own. On a permanent link, begin an order.

    Choosing again gives the new choice as long as no money was seen; addresses given before stay watched.

    Returns:
        The link, or the order that was begun.

    Raises:
        PaymentLinkNotFound: nobody's token.
        InvalidState: it does not wait for a choice any more.
        InvalidRequest: not one of the link's ways, or (on an open amount) no amount.
        RateUnavailable, ServicePaused: try again later.
    """
    link = await _lock(tx, token)
    if (currency, network) not in ways(terms, link.currencies, link.networks):
        raise InvalidRequest.of("way", "is not one of this link's")
    if link.link_type is LinkType.PERMANENT:
        link = await _begin_order(terms, tx, link, fiat_amount)
    _check_may_choose(tx, link)
    fiat = link.fiat
    if fiat is None:
        raise InvalidRequest.of("amount", "is required")
    asset = terms.wallet.networks[network].tokens[currency].asset
    price = await price_of(terms, tx, fiat.asset.currency, currency)
    address = link.address or await _open_address(terms, tx, link)
    until = tx.now + terms.price_lifetime
    chosen = replace(
        link,
        status=LinkStatus.ACTIVE,
        choice=Choice(
            rules.payable_amount(fiat, price, asset),
            price,
            until if link.expires_at is None else min(until, link.expires_at),
        ),
        address=address,
        updated_at=tx.now,
    )
    await save_link(tx, terms, chosen)
    return chosen


async def _open_address(terms: LinkTerms, tx: Transaction, link: PaymentLink) -> str:
    """An address of the link's own, the same on every network, all of which are watched."""
    earmark = earmark_of(link)
    address = await wallet.open_earmark(terms.wallet, tx, link.merchant_id, earmark, wallet_id=link.wallet_id)
    payer = (await links.payers(tx, terms.cipher, [link])).get(link.payment_id)
    if payer is not None and payer.named:
        await wallet.set_earmark_sender(terms.wallet, tx, link.merchant_id, earmark, rules.sender_details(payer))
    return address


def _check_may_choose(tx: Transaction, link: PaymentLink) -> None:
    if link.status not in OPEN or rules.time_is_over(link, tx.now):
        raise InvalidState(f"The payment link is {link.status}; nothing can be chosen any more.")
    if link.seen_at is not None:
        raise InvalidState("Money for this link was seen; the choice stands.")


async def _begin_order(terms: LinkTerms, tx: Transaction, link: PaymentLink, fiat_amount: str | None) -> PaymentLink:
    """An order to a permanent link: a link of its own that is paid once."""
    if link.status is not LinkStatus.ACTIVE:
        raise InvalidState(f"The payment link is {link.status}.")
    fiat = link.fiat
    if fiat is None:
        fiat = _open_amount(link, fiat_amount)
    payers = await links.payers(tx, terms.cipher, [link])
    payer = payers.get(link.payment_id)
    order = replace(
        link,
        payment_id=tx.ids.next(),
        reference_payment_id=link.payment_id,
        token=random_token(),
        link_type=LinkType.ONE_TIME,
        status=LinkStatus.INIT,
        fiat=fiat,
        effective_at=tx.now,
        expires_at=tx.now + timedelta(minutes=link.valid_minutes),
        created_at=tx.now,
        updated_at=tx.now,
    )
    await links.insert(tx, terms.cipher, order, payer)
    await events.link_changed(terms, tx, order, payer)
    return order


def _open_amount(link: PaymentLink, text: str | None) -> Money:
    try:
        amount = Money.parse((text or "").strip().replace(",", "."), link.fiat_asset)
    except ValueError as error:
        raise InvalidRequest("The amount cannot be read.", [FieldError("amount", str(error))]) from None
    if amount.minor == 0:
        raise InvalidRequest.of("amount", "must be greater than zero")
    return amount


async def change_way(terms: LinkTerms, tx: Transaction, token: str) -> PaymentLink:
    """Let the payer choose anew, as long as no money was seen.

    Raises:
        PaymentLinkNotFound: nobody's token.
        InvalidState: money was seen, or the link is over.
    """
    link = await _lock(tx, token)
    _check_may_choose(tx, link)
    if link.choice is None:
        return link
    undone = replace(link, status=LinkStatus.INIT, choice=None, updated_at=tx.now)
    await save_link(tx, terms, undone)
    return undone


async def renew_price(terms: LinkTerms, tx: Transaction, token: str) -> PaymentLink:
    """Fix the price of now for the way chosen, as long as no money was seen. Raises as `choose_way`."""
    link = await _find(tx, token)
    if link.choice is None:
        return link
    asset = link.choice.amount.asset
    return await choose_way(
        terms, tx, token, currency=asset.currency, network=asset.network or "", fiat_amount=None
    )  # fmt: skip


async def give_payer(terms: LinkTerms, tx: Transaction, token: str, payer: Payer) -> PaymentLink:
    """Take from the payer who pays; what came already is screened with it.

    Raises:
        PaymentLinkNotFound: nobody's token.
        InvalidRequest: something is missing.
        InvalidState: it is known already.
    """
    link = await _lock(tx, token)
    if link.payer_known:
        raise InvalidState("Who pays is known already.")
    missing = rules.missing_of(payer)
    if missing:
        raise InvalidRequest("Something is missing.", [FieldError(name, "is required") for name in missing])
    await links.set_payer(tx, terms.cipher, link, payer)
    if link.address is not None:
        await _tell_sender(terms, tx, link, payer)
    known = replace(link, payer_known=True, updated_at=tx.now)
    await save_link(tx, terms, known)
    return known


async def _tell_sender(terms: LinkTerms, tx: Transaction, link: PaymentLink, payer: Payer) -> None:
    """Who pays, for what will come and for what came already and waits for it."""
    details = rules.sender_details(payer)
    await wallet.set_earmark_sender(terms.wallet, tx, link.merchant_id, earmark_of(link), details)
    for deposit in await wallet.list_earmark_deposits(tx, link.merchant_id, earmark_of(link)):
        if deposit.status is Status.SENDER_REQUIRED:
            await wallet.add_deposit_sender(
                terms.wallet,
                tx,
                link.merchant_id,
                transaction_id=deposit.transaction_id,
                hash_=None,
                details=details,
            )
