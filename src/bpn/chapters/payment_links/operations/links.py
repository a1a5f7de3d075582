"""Make links, find them, call them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bpn.chapters.payment_links import events, rules
from bpn.chapters.payment_links.errors import PaymentLinkNotFound
from bpn.chapters.payment_links.model import (
    EARMARK,
    LinkFilter,
    LinkStatus,
    LinkTerms,
    LinkType,
    LinkView,
    Payer,
    PaymentLink,
)
from bpn.chapters.payment_links.store import funds, links, payments
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import UnsupportedNetwork
from bpn.chapters.wallet.model import Earmark, Network
from bpn.controls.model import Operation
from bpn.database.page_notices import tell_page_changed
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidRequest, InvalidState
from bpn.kernel.ids import random_token
from bpn.kernel.money import Money


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """What a link is made of; None where the merchant leaves it to us or to the payer."""

    user_order_no: str | None
    link_type: LinkType
    fiat: Money | None
    fiat_currency: str
    currencies: tuple[str, ...]
    networks: tuple[str, ...]
    wallet_id: int | None
    recipient_name: str
    product_remark: str | None
    valid_minutes: int
    return_url: str | None
    payer: Payer | None


@dataclass(frozen=True, slots=True)
class LinkPage:
    """A page of links and how many match."""

    total: int
    links: list[LinkView]


async def create_payment_link(terms: LinkTerms, tx: Transaction, merchant_id: int, command: LinkCommand) -> LinkView:
    """Make a link with a page of its own; nothing is asked of any chain yet.

    Raises:
        InvalidRequest: a field that no link can have: no amount on a one-time link, no way to pay, a bad return URL.
        UnsupportedCurrency, UnsupportedNetwork: not offered.
        WalletNotFound: no such wallet.
        ServicePaused: links are switched off.
    """
    if command.link_type is LinkType.ONE_TIME and command.fiat is None:
        raise InvalidRequest.of("fiatAmount", "is required for a one_time link")
    if command.return_url is not None:
        rules.check_return_url(command.return_url)
    if command.payer is not None and not command.payer.name_unavailable:
        rules.check_payer(command.payer)
    _check_ways(terms, command.currencies, command.networks)
    (await terms.wallet.controls.view(tx)).require_running(merchant_id, Operation.PAYMENT_LINK, None)
    recipient = await wallet.require_wallet(tx, merchant_id, command.wallet_id)
    permanent = command.link_type is LinkType.PERMANENT
    asset = rules.fiat_asset(command.fiat_currency)
    link = PaymentLink(
        merchant_id=merchant_id,
        payment_id=tx.ids.next(),
        reference_payment_id=None,
        token=random_token(),
        link_type=command.link_type,
        status=LinkStatus.ACTIVE if permanent else LinkStatus.INIT,
        user_order_no=command.user_order_no,
        recipient_name=command.recipient_name,
        wallet_id=recipient.wallet_id,
        product_remark=command.product_remark,
        fiat_asset=asset,
        fiat=command.fiat,
        currencies=command.currencies,
        networks=command.networks,
        valid_minutes=command.valid_minutes,
        return_url=command.return_url,
        choice=None,
        address=None,
        payer_known=command.payer is not None and command.payer.named,
        labels=(),
        seen_at=None,
        effective_at=tx.now,
        expires_at=None if permanent else tx.now + timedelta(minutes=command.valid_minutes),
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=None,
    )
    await links.insert(tx, terms.cipher, link, command.payer)
    await events.link_changed(terms, tx, link, command.payer)
    return LinkView(link, (), (), command.payer)


def _check_ways(terms: LinkTerms, currencies: Sequence[str], networks: Sequence[str]) -> None:
    """Raise unless every currency and network is offered, and some currency on some network."""
    offered = [*terms.wallet.networks]
    for currency in currencies:
        wallet.check_currency(terms.wallet, currency)
    for network in networks:
        if network not in offered:
            raise UnsupportedNetwork(f"The network {network} is not offered; choose among {', '.join(offered)}.")
    if not ways(terms, currencies, networks):
        raise InvalidRequest.of("supportNetwork", "offers none of these currencies")


def ways(terms: LinkTerms, currencies: Sequence[str], networks: Sequence[str]) -> list[tuple[str, str]]:
    """The currencies and networks that a link may be paid with, in the merchant's order."""
    known = terms.wallet.networks
    return [
        (currency, network)
        for currency in currencies
        for network in networks
        if network in known and currency in known[network].tokens and known[network].tokens[currency].deposits_enabled
    ]


async def get_payment_link(
    terms: LinkTerms, tx: Transaction, merchant_id: int, *, payment_id: int | None, user_order_no: str | None
) -> LinkView:
    """A link with all that came for it, by our id or by the merchant's own, which names the newest of several.

    Raises:
        InvalidRequest: neither id nor order number.
        PaymentLinkNotFound: this merchant has no such link.
    """
    if payment_id is not None:
        link = await links.find(tx, merchant_id, payment_id)
    elif user_order_no is not None:
        _, found = await links.page(
            tx, merchant_id, LinkFilter(user_order_no=user_order_no), before=None, offset=0, limit=1
        )
        link = found[0] if found else None
    else:
        raise InvalidRequest.of("paymentId", "or userOrderNo is required")
    if link is None:
        raise PaymentLinkNotFound("There is no such payment link.")
    (view,) = await views_of(terms, tx, [link])
    return view


async def list_payment_links(
    terms: LinkTerms,
    tx: Transaction,
    merchant_id: int,
    filters: LinkFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> LinkPage:
    """Links of a merchant, orders to permanent ones among them, newest first."""
    total, found = await links.page(tx, merchant_id, filters, before=before, offset=offset, limit=limit)
    return LinkPage(total, await views_of(terms, tx, found))


async def views_of(terms: LinkTerms, tx: Transaction, found: Sequence[PaymentLink]) -> list[LinkView]:
    """Links with what came for them, in order."""
    if not found:
        return []
    came = await payments.of_links(tx, found)
    linked = await funds.linked_to(tx, found)
    payers = await links.payers(tx, terms.cipher, found)
    return [
        LinkView(
            link, tuple(came[link.payment_id]), tuple(linked[link.payment_id]), payers.get(link.payment_id)
        )
        for link in found
    ]  # fmt: skip


async def lock_link(tx: Transaction, merchant_id: int, payment_id: int) -> PaymentLink:
    """A link, held. Raises PaymentLinkNotFound."""
    link = await links.lock(tx, merchant_id, payment_id)
    if link is None:
        raise PaymentLinkNotFound("There is no such payment link.")
    return link


async def save_link(tx: Transaction, terms: LinkTerms, link: PaymentLink) -> None:
    """Keep a held link as it is now, and tell the merchant and those who watch its page."""
    await links.save(tx, link)
    payers = await links.payers(tx, terms.cipher, [link])
    await events.link_changed(terms, tx, link, payers.get(link.payment_id))
    await tell_page_changed(tx, topic_of(link))


async def get_link_address(tx: Transaction, merchant_id: int, payment_id: int) -> str:
    """The address of a link.

    Raises:
        PaymentLinkNotFound: this merchant has no such link.
        InvalidState: it has none yet: nobody has chosen what to pay with.
    """
    link = await links.find(tx, merchant_id, payment_id)
    if link is None:
        raise PaymentLinkNotFound("There is no such payment link.")
    if link.address is None:
        raise InvalidState("The link has no address yet: on its page, choose what to pay with.")
    return link.address


def fiat_asset(currency: str) -> Asset:
    """A national currency as an asset; raises InvalidRequest when there is none of this code."""
    return rules.fiat_asset(currency)


def earmark_of(link: PaymentLink) -> Earmark:
    """What the wallet calls the link's own address."""
    return Earmark(EARMARK, link.payment_id)


def topic_of(link: PaymentLink) -> str:
    """What notices call the page of a link."""
    return f"link:{link.payment_id}"


async def get_currency_network_config(terms: LinkTerms, tx: Transaction, merchant_id: int) -> list[Network]:
    """Every network with its tokens and the terms on which links take them."""
    return await wallet.get_wallet_network_config(terms.wallet, tx, merchant_id)
