"""How a balance is shown to a person."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency


def balance_string(amount: Decimal, currency: str) -> str:
    """A fiat amount for display: the currency's symbol, English grouping, its decimals: `R$ 1,234.56`, `¥ 1,235`."""
    shown: str = format_currency(amount, currency, format="¤ #,##0.00", locale="en")
    return shown
