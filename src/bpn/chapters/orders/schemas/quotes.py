"""Quotes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from bpn.api.fields import AmountText, CurrencyCode, LargeInteger, NetworkName, Wire, parse_amount
from bpn.chapters.orders import model
from bpn.chapters.orders.model import QuoteCommand, Side
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import Money, format_decimal

FindToken = Callable[[str, str | None], Asset]
FindFiat = Callable[[str], Asset]
SideName = Literal["BUY", "SELL", "SWAP"]
_DEFAULT_CRYPTO = "USDC"


class QuoteFields(Wire):
    """What a quote is of: exactly one amount."""

    side: Annotated[
        Literal["BUY", "SELL"] | None,
        Field(description="BUY (when absent): fiat becomes a stablecoin; SELL: a stablecoin becomes fiat."),
    ] = None
    fiat_currency: CurrencyCode | None = None
    fiat_amt: Annotated[
        AmountText | None, Field(description="BUY: what is paid in all. SELL: what arrives.", examples=["20"])
    ] = None
    crypto_currency: Annotated[CurrencyCode | None, Field(description="USDC when absent.")] = None
    crypto_amt: Annotated[
        AmountText | None, Field(description="BUY: what arrives. SELL: what is paid in all.", examples=["20"])
    ] = None
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None
    from_currency: Annotated[
        CurrencyCode | None, Field(description="With toCurrency: one stablecoin against another. Ours.")
    ] = None
    to_currency: CurrencyCode | None = None
    from_network: Annotated[NetworkName | None, Field(description="network when absent. Ours.")] = None
    to_network: Annotated[NetworkName | None, Field(description="network when absent. Ours.")] = None
    from_amt: Annotated[AmountText | None, Field(description="Of a swap: what is paid in all. Ours.")] = None
    to_amt: Annotated[AmountText | None, Field(description="Of a swap: what arrives. Ours.")] = None

    def asks_for_a_quote(self) -> bool:
        """Whether any field of a quote is given."""
        return any(value is not None for value in (self.fiat_amt, self.crypto_amt, self.from_amt, self.to_amt))

    def command(self, merchant_id: int, find_token: FindToken, find_fiat: FindFiat) -> QuoteCommand:
        """As the chapter knows it.

        Raises:
            InvalidRequest: not exactly one amount, or fields that do not fit together.
            UnsupportedCurrency, UnsupportedNetwork: an asset is not offered.
        """
        if self.from_currency is not None or self.to_currency is not None:
            return self._swap(merchant_id, find_token)
        if self.fiat_currency is None:
            raise InvalidRequest.of("fiatCurrency", "is required")
        one, other = ("fiatAmt", self.fiat_amt), ("cryptoAmt", self.crypto_amt)
        _exactly_one(one, other)
        fiat = find_fiat(self.fiat_currency)
        crypto = find_token(self.crypto_currency or _DEFAULT_CRYPTO, self.network)
        fiat_money, crypto_money = _money(*one, fiat), _money(*other, crypto)
        if (self.side or "BUY") == "BUY":
            return QuoteCommand(merchant_id, Side.BUY, fiat, crypto, fiat_money, crypto_money, self.wallet_id)
        return QuoteCommand(merchant_id, Side.SELL, crypto, fiat, crypto_money, fiat_money, self.wallet_id)

    def _swap(self, merchant_id: int, find_token: FindToken) -> QuoteCommand:
        if self.from_currency is None or self.to_currency is None:
            raise InvalidRequest.of("fromCurrency", "and toCurrency are given both or neither")
        one, other = ("fromAmt", self.from_amt or self.crypto_amt), ("toAmt", self.to_amt)
        _exactly_one(one, other)
        source = find_token(self.from_currency, self.from_network or self.network)
        target = find_token(self.to_currency, self.to_network or self.network)
        if source == target:
            raise InvalidRequest.of("toCurrency", "must be another stablecoin, or on another network")
        return QuoteCommand(
            merchant_id, Side.SWAP, source, target, _money(*one, source), _money(*other, target), self.wallet_id
        )


def _exactly_one(one: tuple[str, str | None], other: tuple[str, str | None]) -> None:
    if (one[1] is None) == (other[1] is None):
        raise InvalidRequest.of(one[0], f"or {other[0]} must be given, exactly one of them")


def _money(field: str, text: str | None, asset: Asset) -> Money | None:
    return None if text is None else parse_amount(text, asset, field)


class QuoteRequest(QuoteFields):
    """Ask for a quote."""


class QuoteQuery(QuoteFields):
    """Ask for a quote by query."""


class RouteHop(Wire):
    """One conversion on the way. Ours."""

    venue: Annotated[Literal["DESK", "POOL"], Field(description="Who fills it.")]
    pool_id: str | None
    from_currency: str
    from_network: str | None
    from_amt: str
    to_currency: str
    to_network: str | None
    to_amt: str

    @classmethod
    def of(cls, hop: model.Hop) -> Self:
        """The wire form."""
        return cls(
            venue=hop.venue.value,
            pool_id=None if hop.pool_id is None else str(hop.pool_id),
            from_currency=hop.paid.asset.currency,
            from_network=hop.paid.asset.network,
            from_amt=str(hop.paid),
            to_currency=hop.received.asset.currency,
            to_network=hop.received.asset.network,
            to_amt=str(hop.received),
        )


class Terms(Wire):
    """What a quote and its order share."""

    side: SideName
    fiat_currency: Annotated[str | None, Field(description="Null for a swap.", examples=["USD"])]
    fiat_amt: Annotated[str | None, Field(description="BUY: paid in all. SELL: arrives. Null for a swap.")]
    crypto_currency: Annotated[str, Field(description="Of a swap the one that is paid.", examples=["USDC"])]
    network: str
    crypto_amt: Annotated[str, Field(description="BUY: arrives. SELL and swap: paid in all.")]
    price: Annotated[str, Field(description="One stablecoin in fiat before the fee; of a swap in the other.")]
    fee: str
    fee_currency: str
    route: Annotated[list[RouteHop], Field(description="How it is filled.")]


class StableQuote(Terms):
    """A price that holds until `expireTime`. It reserves nothing and can be used once."""

    quote_id: Annotated[str, Field(examples=["019a0b1c2d3e4f5061728394a5b6c7d8"])]
    from_currency: Annotated[str, Field(description="What is paid. Ours.")]
    from_network: str | None
    from_amt: str
    to_currency: Annotated[str, Field(description="What arrives. Ours.")]
    to_network: str | None
    to_amt: str
    wallet_id: int | None
    expire_time: Annotated[
        str, Field(description="ISO 8601, UTC, with milliseconds.", examples=["2026-11-25T04:15:00.000Z"])
    ]

    @classmethod
    def of(cls, quote: model.Quote) -> Self:
        """The wire form."""
        return cls(
            quote_id=quote.quote_id,
            **sides(quote.side, quote.paid, quote.received),
            price=format_decimal(quote.price),
            fee=str(quote.fee),
            fee_currency=quote.fee.asset.currency,
            route=[RouteHop.of(hop) for hop in quote.route],
            wallet_id=quote.wallet_id,
            expire_time=iso_time(quote.expires_at),
        )


def sides(side: Side, paid: Money, received: Money) -> dict[str, str | None]:
    """Both amounts, by fiat and stablecoin and by what is paid and what arrives."""
    fiat = {Side.BUY: paid, Side.SELL: received}.get(side)
    crypto = received if side is Side.BUY else paid
    return {
        "side": side.value,
        "fiat_currency": None if fiat is None else fiat.asset.currency,
        "fiat_amt": None if fiat is None else str(fiat),
        "crypto_currency": crypto.asset.currency,
        "network": crypto.asset.network or "",
        "crypto_amt": str(crypto),
        "from_currency": paid.asset.currency,
        "from_network": paid.asset.network,
        "from_amt": str(paid),
        "to_currency": received.asset.currency,
        "to_network": received.asset.network,
        "to_amt": str(received),
    }


def iso_time(time: datetime) -> str:
    """ISO 8601 with milliseconds and Z; never later than the time itself."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
