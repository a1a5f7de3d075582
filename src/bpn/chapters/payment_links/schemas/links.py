"""Links, and what came for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints

from bpn.api.fields import (
    AmountText,
    CurrencyCode,
    Identifier,
    LargeInteger,
    MerchantReference,
    Milliseconds,
    NetworkName,
    PageQuery,
    Remark,
    Wire,
    milliseconds_or_none,
    parse_amount,
    parse_time,
)
from bpn.chapters.payment_links import model
from bpn.chapters.payment_links.operations.links import LinkCommand
from bpn.chapters.wallet.model import Network, Token
from bpn.kernel.assets import Asset
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import Money, format_decimal

_LONGEST_MINUTES = 43_200
_LARGEST_LIST = 32

LinkTypeName = Literal["one_time", "permanent"]
LinkStatusName = Literal["init", "active", "completed", "expired", "cancelled"]
LabelName = Literal["UNDER", "OVER", "LATE", "WRONG_CURRENCY", "WRONG_NETWORK", "DUPLICATE"]
PaymentStatusName = Literal["CONFIRMING", "REVIEWING", "FROZEN", "READY", "RECEIVED", "ABNORMAL", "ORPHANED"]


def _joined(value: Any) -> Any:
    """A list of codes may come as a JSON array too."""
    return ",".join(value) if isinstance(value, list) and all(isinstance(part, str) for part in value) else value


CodeList = Annotated[
    str,
    BeforeValidator(_joined, json_schema_input_type=str | list[str]),
    StringConstraints(min_length=1, max_length=256),
]
"""Codes separated by commas."""

FiatCode = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{3}$"),
    Field(description="ISO 4217.", examples=["USD"]),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]


def _codes(text: str, field: str) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(part.strip().upper() for part in text.split(",") if part.strip()))
    if not codes or len(codes) > _LARGEST_LIST:
        raise InvalidRequest.of(field, "must list codes separated by commas")
    return codes


class PayerInfo(Wire):
    """Who pays, as the travel rule asks; what is missing is asked on the hosted page."""

    payer_name_unavailable: Annotated[
        bool, Field(description="True where the merchant does not know the payer; the hosted page asks then.")
    ] = False
    payer_type: Literal["individual", "company"] = "individual"
    first_name: Text | None = None
    last_name: Text | None = None
    company_name: Text | None = None
    country: Annotated[
        str | None,
        StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{2}$"),
        Field(description="ISO 3166-1 alpha-2.", examples=["BR"]),
    ] = None
    platform: Annotated[
        Text | None, Field(description="The exchange the money comes from; null: a wallet of the payer's own.")
    ] = None

    def payer(self) -> model.Payer:
        """As the chapter knows it."""
        return model.Payer(
            name_unavailable=self.payer_name_unavailable,
            company=self.payer_type == "company",
            first_name=self.first_name or None,
            last_name=self.last_name or None,
            company_name=self.company_name or None,
            country=self.country,
            platform=self.platform or None,
        )

    @classmethod
    def of(cls, payer: model.Payer) -> Self:
        """The wire form."""
        return cls(
            payer_name_unavailable=payer.name_unavailable,
            payer_type="company" if payer.company else "individual",
            first_name=payer.first_name,
            last_name=payer.last_name,
            company_name=payer.company_name,
            country=payer.country,
            platform=payer.platform,
        )


class PayerNotice(Wire):
    """What an event says of the payer: never a name."""

    payer_name_unavailable: bool


class CreateLinkRequest(Wire):
    """Make a payment link."""

    user_order_no: Annotated[MerchantReference | None, Field(description="The merchant's own id: once only.")] = None
    payment_link_type: LinkTypeName = "one_time"
    fiat_currency: FiatCode
    fiat_amount: Annotated[
        AmountText | None, Field(description="Null on a permanent link: the payer names the amount.")
    ] = None
    support_currency: Annotated[CodeList, Field(examples=["USDT,USDC"])]
    support_network: Annotated[CodeList, Field(examples=["BSC,ETH"])]
    recipient_account_id: Annotated[
        LargeInteger | None, Field(description="The wallet that receives; the primary one when absent.")
    ] = None
    recipient_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
    product_remark: Remark | None = None
    payment_valid_time: Annotated[
        LargeInteger,
        Field(ge=1, le=_LONGEST_MINUTES, description="Minutes; of each order on a permanent link.", examples=[60]),
    ]
    return_url: Annotated[
        str | None,
        StringConstraints(strip_whitespace=True, max_length=2048),
        Field(description="https; where the payer may go back to."),
    ] = None
    payer_info: PayerInfo | None = None

    def command(self, fiat: Asset) -> LinkCommand:
        """As the chapter knows it; `fiat` is the currency as an asset."""
        return LinkCommand(
            user_order_no=self.user_order_no,
            link_type=model.LinkType(self.payment_link_type),
            fiat=None if self.fiat_amount is None else parse_amount(self.fiat_amount, fiat, "fiatAmount"),
            fiat_currency=self.fiat_currency,
            currencies=_codes(self.support_currency, "supportCurrency"),
            networks=_codes(self.support_network, "supportNetwork"),
            wallet_id=self.recipient_account_id,
            recipient_name=self.recipient_name,
            product_remark=self.product_remark or None,
            valid_minutes=self.payment_valid_time,
            return_url=self.return_url or None,
            payer=None if self.payer_info is None else self.payer_info.payer(),
        )


class LinkQuery(Wire):
    """Which link: by our id, or by the merchant's own, which names the newest of several."""

    payment_id: Identifier | None = None
    user_order_no: MerchantReference | None = None


class CancelLinkRequest(Wire):
    """Which link to cancel."""

    payment_id: Identifier


class LinkListRequest(PageQuery):
    """Filters of the list of links."""

    status: LinkStatusName | None = None
    payment_link_type: LinkTypeName | None = None
    user_order_no: MerchantReference | None = None
    start_time: Milliseconds | None = None
    end_time: Milliseconds | None = None

    def filters(self) -> model.LinkFilter:
        """As the chapter knows them."""
        return model.LinkFilter(
            status=self.status,
            link_type=self.payment_link_type,
            user_order_no=self.user_order_no,
            start=parse_time(self.start_time, "startTime"),
            end=parse_time(self.end_time, "endTime"),
        )


class LinkTransaction(Wire):
    """One transaction that came for a link. Ours."""

    transaction_id: str
    hash: str
    currency: str
    network: str
    amount: str
    counted_amount: Annotated[str, Field(description="The part that paid the link.")]
    status: PaymentStatusName
    labels: list[LabelName]
    from_address: str | None
    to_address: str
    confirmations: int
    required_confirmations: int
    block_time: Milliseconds

    @classmethod
    def of(cls, payment: model.Payment) -> Self:
        """The wire form."""
        return cls(
            transaction_id=str(payment.transaction_id),
            hash=payment.hash,
            currency=payment.amount.asset.currency,
            network=payment.amount.asset.network or "",
            amount=str(payment.amount),
            counted_amount=str(payment.counted),
            status=payment.status.value,
            labels=[label.value for label in payment.labels],
            from_address=payment.from_address,
            to_address=payment.to_address,
            confirmations=payment.confirmations,
            required_confirmations=payment.required_confirmations,
            block_time=to_milliseconds(payment.block_time),
        )


class PaymentLinkUpdate(Wire):
    """A payment link, with the public keys; what is not known yet is null."""

    payment_id: Annotated[str, Field(examples=["179545447575900001"])]
    reference_payment_id: Annotated[str | None, Field(description="The permanent link that this order pays.")]
    product_remark: str | None
    user_order_no: str | None
    recipient_name: str
    recipient_account_id: Annotated[str, Field(description="The wallet that receives.")]
    fiat_currency: str
    fiat_amount: str | None
    crypto_currency: str | None
    crypto_amount: Annotated[str | None, Field(description="What must arrive.", examples=["124.8"])]
    quote_price: Annotated[str | None, Field(description="National currency per unit.", examples=["1"])]
    support_currency: Annotated[str, Field(examples=["USDT,USDC"])]
    support_network: Annotated[str, Field(examples=["BSC,ETH"])]
    payer_info: PayerInfo | PayerNotice | None
    return_url: str | None
    status: LinkStatusName
    payment_link_type: LinkTypeName
    payment_valid_time: Annotated[int, Field(description="Minutes.")]
    payment_link: Annotated[str, Field(description="The hosted page.")]
    effective_time: Milliseconds
    expires_time: Milliseconds | None
    create_time: Milliseconds

    @classmethod
    def told(cls, fact: model.LinkChanged) -> Self:
        """The wire form of an event: of the payer, only whether the name is known."""
        unavailable = fact.payer_name_unavailable
        payer = None if unavailable is None else PayerNotice(payer_name_unavailable=unavailable)
        return cls(**_public_keys(fact.link, payer, fact.url))


def _public_keys(link: model.PaymentLink, payer: PayerInfo | PayerNotice | None, url: str) -> dict[str, Any]:
    choice = link.choice
    return {
        "payment_id": str(link.payment_id),
        "reference_payment_id": None if link.reference_payment_id is None else str(link.reference_payment_id),
        "product_remark": link.product_remark,
        "user_order_no": link.user_order_no,
        "recipient_name": link.recipient_name,
        "recipient_account_id": str(link.wallet_id),
        "fiat_currency": link.fiat_asset.currency,
        "fiat_amount": None if link.fiat is None else str(link.fiat),
        "crypto_currency": None if choice is None else choice.amount.asset.currency,
        "crypto_amount": None if choice is None else str(choice.amount),
        "quote_price": None if choice is None else format_decimal(choice.price),
        "support_currency": ",".join(link.currencies),
        "support_network": ",".join(link.networks),
        "payer_info": payer,
        "return_url": link.return_url,
        "status": link.status.value,
        "payment_link_type": link.link_type.value,
        "payment_valid_time": link.valid_minutes,
        "payment_link": url,
        "effective_time": to_milliseconds(link.effective_at),
        "expires_time": milliseconds_or_none(link.expires_at),
        "create_time": to_milliseconds(link.created_at),
    }


class PaymentLink(PaymentLinkUpdate):
    """A payment link with all that came for it. The keys after `createTime` are ours."""

    network: Annotated[str | None, Field(description="As chosen on the page. Ours.")]
    address: Annotated[str | None, Field(description="The link's own address, on every network. Ours.")]
    paid_amount: Annotated[str, Field(description="What counts, in cryptoCurrency. Ours.")]
    confirming_amount: Annotated[str, Field(description="Seen in time, not settled yet. Ours.")]
    remaining_amount: Annotated[str | None, Field(description="What must still arrive. Ours.")]
    fee: Annotated[str, Field(description="Ours.")]
    net_amount: Annotated[str, Field(description="What the wallet received. Ours.")]
    price_expires_time: Annotated[Milliseconds | None, Field(description="Until when the price stands. Ours.")]
    labels: Annotated[list[LabelName], Field(description="What is odd about what came. Ours.")]
    complete_time: Milliseconds | None
    transactions: Annotated[list[LinkTransaction], Field(description="Oldest first. Ours.")]

    @classmethod
    def of(cls, view: model.LinkView, url: str) -> Self:
        """The wire form."""
        link = view.link
        payer = None if view.payer is None else PayerInfo.of(view.payer)
        paid, settling, received = _sums(view)
        due = link.choice.amount if link.choice else None
        return cls(
            **_public_keys(link, payer, url),
            network=None if due is None else due.asset.network,
            address=link.address,
            paid_amount=str(paid) if paid else "0",
            confirming_amount=str(settling) if settling else "0",
            remaining_amount=None if due is None or paid is None else _remaining(link, due, paid),
            fee="0",
            net_amount=str(received) if received else "0",
            price_expires_time=milliseconds_or_none(link.choice.price_expires_at if link.choice else None),
            labels=[label.value for label in link.labels],
            complete_time=milliseconds_or_none(link.completed_at),
            transactions=[LinkTransaction.of(payment) for payment in view.payments],
        )


def _sums(view: model.LinkView) -> tuple[Money | None, Money | None, Money | None]:
    """Of the chosen token: what counts, what is being settled, what the wallet received."""
    choice = view.link.choice
    if choice is None:
        return None, None, None
    asset = choice.amount.asset
    mine = [payment for payment in view.payments if payment.amount.asset == asset]
    received = sum(payment.counted.minor for payment in mine)
    linked = sum(fund.amount.minor for fund in view.linked if fund.amount.asset == asset)
    ready = sum(payment.amount.minor for payment in mine if payment.status is model.PaymentStatus.READY)
    settling = sum(payment.amount.minor for payment in mine if payment.status in model.SETTLING)
    done = view.link.status is model.LinkStatus.COMPLETED
    return (
        Money(received + ready + linked, asset),
        Money(settling, asset),
        Money(received + (linked if done else 0), asset),
    )


def _remaining(link: model.PaymentLink, due: Money, paid: Money) -> str:
    if link.status is model.LinkStatus.COMPLETED:
        return "0"
    return str(Money(max(0, due.minor - paid.minor), due.asset))


class CryptoDepositOrder(Wire):
    """A deposit for a link has a new state."""

    transaction_id: str
    payment_id: str
    reference_payment_id: str | None
    wallet_id: int
    currency: str
    network: str
    amount: str
    counted_amount: Annotated[str, Field(description="The part that paid the link.")]
    hash: str
    from_address: str | None
    to_address: str
    confirmations: int
    required_confirmations: int
    status: PaymentStatusName
    labels: list[LabelName]
    block_time: Milliseconds
    create_time: Milliseconds
    update_time: Milliseconds

    @classmethod
    def of(cls, fact: model.PaymentChanged) -> Self:
        """The wire form."""
        payment = fact.payment
        return cls(
            transaction_id=str(payment.transaction_id),
            payment_id=str(payment.payment_id),
            reference_payment_id=None if fact.reference_payment_id is None else str(fact.reference_payment_id),
            wallet_id=fact.wallet_id,
            currency=payment.amount.asset.currency,
            network=payment.amount.asset.network or "",
            amount=str(payment.amount),
            counted_amount=str(payment.counted),
            hash=payment.hash,
            from_address=payment.from_address,
            to_address=payment.to_address,
            confirmations=payment.confirmations,
            required_confirmations=payment.required_confirmations,
            status=payment.status.value,
            labels=[label.value for label in payment.labels],
            block_time=to_milliseconds(payment.block_time),
            create_time=to_milliseconds(payment.created_at),
            update_time=to_milliseconds(payment.updated_at),
        )


class LinkConfigQuery(Wire):
    """Which currency and network only."""

    currency: CurrencyCode | None = None
    network: NetworkName | None = None


class LinkConfig(Wire):
    """How links take a currency on a network."""

    currency: Annotated[str, Field(examples=["USDT"])]
    network: Annotated[str, Field(examples=["BSC"])]
    chain_id: Annotated[int, Field(examples=[56])]
    contract: Annotated[str, Field(description="The token's contract address.")]
    scale: Annotated[int, Field(description="Decimals.", examples=[18])]
    minimum_amount: Annotated[str, Field(examples=["0.000001"])]
    confirmations: Annotated[int, Field(examples=[15])]
    estimated_seconds: Annotated[int, Field(description="From the first block to confirmed.", examples=[12])]
    explorer_url: str | None
    enabled: bool


class LinkConfigList(Wire):
    """All currencies and networks."""

    list: list[LinkConfig]

    @classmethod
    def of(cls, networks: Iterable[Network], query: LinkConfigQuery) -> Self:
        """The wire form of those that the query asks for."""
        return cls(
            list=[
                _config(network, token)
                for network in networks
                for token in network.tokens.values()
                if query.currency in {None, token.asset.currency} and query.network in {None, network.name}
            ]
        )


def _config(network: Network, token: Token) -> LinkConfig:
    seconds = (network.block_seconds * network.confirmations).to_integral_value()
    return LinkConfig(
        currency=token.asset.currency,
        network=network.name,
        chain_id=network.chain_id,
        contract=token.contract,
        scale=token.asset.scale,
        minimum_amount=str(Money(10 ** max(0, token.asset.scale - 6), token.asset)),
        confirmations=network.confirmations,
        estimated_seconds=int(seconds),
        explorer_url=network.explorer_url,
        enabled=token.deposits_enabled,
    )
