"""The wire shapes of the fx chapter."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from bpn.api.fields import AmountText, CurrencyCode, Milliseconds, Wire
from bpn.chapters.fx.model import FxQuote
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.money import format_decimal


class FxRateQuery(Wire):
    """Which pair."""

    from_currency: Annotated[CurrencyCode, Field(examples=["USDC"])]
    to_currency: Annotated[CurrencyCode, Field(examples=["BRL"])]
    amount: Annotated[
        AmountText | None, Field(description="An amount of fromCurrency to value at the bid. Moves nothing.")
    ] = None


class FxRate(Wire):
    """What one unit of a currency is in another. Decimals of at most 12 significant digits."""

    from_currency: str
    to_currency: str
    rate: Annotated[str, Field(description="The middle: one fromCurrency in toCurrency.", examples=["5.41"])]
    inverse_rate: Annotated[str, Field(description="One toCurrency in fromCurrency.", examples=["0.184842883549"])]
    bid: Annotated[str, Field(description="What is given for one fromCurrency: rate * (1 - spreadBps / 10,000).")]
    ask: Annotated[str, Field(description="What is asked for one fromCurrency: rate * (1 + spreadBps / 10,000).")]
    spread_bps: Annotated[int, Field(description="Basis points from the rate to either side.", examples=[30])]
    source: Annotated[str, Field(description="Who quotes it; several for a cross.", examples=["COINMARKETCAP+ECB"])]
    time: Annotated[Milliseconds, Field(description="Of the oldest rate it is made of.")]
    amount: Annotated[str | None, Field(description="As asked. Ours.")]
    to_amount: Annotated[str | None, Field(description="The amount at the bid, rounded down. Ours.")]

    @classmethod
    def of(cls, query: FxRateQuery, quote: FxQuote, to_amount: str | None) -> Self:
        """The wire form."""
        return cls(
            from_currency=query.from_currency,
            to_currency=query.to_currency,
            rate=format_decimal(quote.rate),
            inverse_rate=format_decimal(quote.inverse),
            bid=format_decimal(quote.bid),
            ask=format_decimal(quote.ask),
            spread_bps=quote.spread_bps,
            source=quote.source,
            time=to_milliseconds(quote.time),
            amount=query.amount,
            to_amount=to_amount,
        )
