"""Balances of wallets."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field

from bpn.api.fields import CurrencyCode, ExactNumber, LargeInteger, Milliseconds, Wire, milliseconds_or_none
from bpn.chapters.wallet import model
from bpn.kernel.money import Money, exact_context


class AssetBalanceQuery(Wire):
    """Which wallet, and which currency only."""

    currency: Annotated[CurrencyCode | None, Field(description="Only this one; all when absent.")] = None
    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None


class NetworkBalance(Wire):
    """A currency's balance on one network: decimal strings, exact."""

    network: Annotated[str, Field(examples=["BSC"])]
    available: Annotated[str, Field(description="May be spent.", examples=["99.5"])]
    unavailable: Annotated[str, Field(description="Held, or not released yet.", examples=["9"])]
    pending: Annotated[str, Field(description="Seen on chain, not confirmed; counted nowhere.", examples=["0"])]


class CurrencyBalance(Wire):
    """A currency's balance over all its networks: JSON numbers, exact."""

    currency: Annotated[str, Field(examples=["USDT"])]
    currency_full_name: Annotated[str, Field(examples=["USD Tether"])]
    available: Annotated[ExactNumber, Field(description="Sum of the networks; may be spent.")]
    unavailable: Annotated[ExactNumber, Field(description="Sum of the networks; held or not released yet.")]
    balance_change: Annotated[
        ExactNumber, Field(description="Change of available + unavailable over the last 24 hours.")
    ]
    networks: Annotated[list[NetworkBalance], Field(description="The same by network. Ours.")]


class AssetBalance(Wire):
    """A wallet's balances and their value."""

    total_available: Annotated[
        ExactNumber | None,
        Field(description="USD value of what is available, 2 decimals, rounded down; null without a fresh price."),
    ]
    total_available_currency: Annotated[str, Field(examples=["USD"])]
    id: Annotated[int, Field(description="The wallet.", examples=[40])]
    wallet_type: Literal["primary", "sub", "collection_sub"]
    name: Annotated[str, Field(examples=["Main"])]
    wallets: list[CurrencyBalance]
    price_time: Annotated[Milliseconds | None, Field(description="The oldest price used. Ours.")]

    @classmethod
    def of(cls, balance: model.AssetBalance, names: dict[str, str], only: str | None) -> Self:
        """The wire form; every currency offered is listed, or `only` one."""
        currencies = [only] if only else list(names)
        return cls(
            total_available=balance.total_usd,
            total_available_currency="USD",
            id=balance.wallet.wallet_id,
            wallet_type=balance.wallet.wallet_type.value,
            name=balance.wallet.name,
            wallets=[_currency_balance(currency, names[currency], balance.balances) for currency in currencies],
            price_time=milliseconds_or_none(balance.price_time),
        )


def _currency_balance(currency: str, full_name: str, balances: Iterable[model.NetworkBalance]) -> CurrencyBalance:
    own = [balance for balance in balances if balance.asset.currency == currency]
    with exact_context():
        available = sum((_whole(balance, balance.available) for balance in own), Decimal(0))
        unavailable = sum((_whole(balance, balance.unavailable) for balance in own), Decimal(0))
        yesterday = sum((_whole(balance, balance.total_yesterday) for balance in own), Decimal(0))
        change = available + unavailable - yesterday
    return CurrencyBalance(
        currency=currency,
        currency_full_name=full_name,
        available=available,
        unavailable=unavailable,
        balance_change=change,
        networks=[
            NetworkBalance(
                network=balance.asset.network or "",
                available=str(Money(balance.available, balance.asset)),
                unavailable=str(Money(balance.unavailable, balance.asset)),
                pending=str(Money(balance.pending, balance.asset)),
            )
            for balance in own
        ],
    )


def _whole(balance: model.NetworkBalance, minor: int) -> Decimal:
    return Money(minor, balance.asset).to_decimal()
