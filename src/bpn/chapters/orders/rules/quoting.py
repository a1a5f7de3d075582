"""Making a quote out of a market: what is paid, what arrives, the fee, the way, the price."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from bpn.chapters.orders.errors import AmountTooSmall
from bpn.chapters.orders.model import QuoteCommand, Route, Side
from bpn.chapters.orders.rules.market import Market
from bpn.kernel.money import Money

FeeOf = Callable[[Money], Money]
_LARGEST_STEPS = 64


def make_route(market: Market, command: QuoteCommand, fee_of: FeeOf) -> tuple[Money, Money, Money, Route]:
    """What is paid in all, what arrives, the fee, and the way.

    Raises:
        RateUnavailable, LiquidityUnavailable: nobody prices or fills it.
        AmountTooSmall: it comes to nothing, or the fee takes it all.
    """
    if command.side is Side.SELL:
        return _sell(market, command, fee_of)
    merchant_id = command.merchant_id
    if command.paid is not None:
        fee = fee_of(command.paid)
        net = command.paid - fee
        if net.minor <= 0:
            raise _too_small(command.paid, fee)
        route = market.best_for(merchant_id, net, command.target)
        return command.paid, route[-1].received, fee, route
    route = market.best_to(merchant_id, command.source, _amount(command.received))
    paid = _grossed_up(route[0].paid, fee_of)
    return paid, _amount(command.received), paid - route[0].paid, route


def _sell(market: Market, command: QuoteCommand, fee_of: FeeOf) -> tuple[Money, Money, Money, Route]:
    if command.paid is not None:
        route = market.best_for(command.merchant_id, command.paid, command.target)
        fee = fee_of(route[-1].received)
        received = route[-1].received - fee
        if received.minor <= 0:
            raise _too_small(route[-1].received, fee)
        return command.paid, received, fee, route
    received = _amount(command.received)
    gross = _grossed_up(received, fee_of)
    route = market.best_to(command.merchant_id, command.source, gross)
    return route[0].paid, received, gross - received, route


def _grossed_up(net: Money, fee_of: FeeOf) -> Money:
    """The smallest amount that leaves `net` after its fee, or a little more where no amount leaves it exactly."""
    gross = net
    for _ in range(_LARGEST_STEPS):
        following = net + fee_of(gross)
        if following <= gross:
            return gross
        gross = following
    raise AmountTooSmall("The fee leaves nothing of any amount.")


def price(side: Side, paid: Money, received: Money, fee: Money) -> Fraction:
    """What one whole stablecoin costs or brings before the fee; of a SWAP one unit paid in units received."""
    if side is Side.BUY:
        return _ratio(paid - fee, received)
    if side is Side.SELL:
        return _ratio(received + fee, paid)
    return _ratio(received, paid - fee)


def _ratio(quote: Money, base: Money) -> Fraction:
    return Fraction(quote.minor * 10**base.asset.scale, base.minor * 10**quote.asset.scale)


def has_moved(quoted: Fraction, now: Fraction, tolerance_bps: int) -> bool:
    """Whether the rate is further from that of a quote than is tolerated."""
    return abs(now - quoted) * 10_000 > quoted * tolerance_bps


def usd_cents(amount: Money, usd: Fraction) -> int:
    """The worth of an amount in cents, rounded up."""
    worth = Fraction(amount.minor * 100, 10**amount.asset.scale) * usd
    return -(-worth.numerator // worth.denominator)


def _amount(money: Money | None) -> Money:
    if money is None or money.minor <= 0:
        raise AmountTooSmall("An amount greater than zero is needed.")
    return money


def _too_small(amount: Money, fee: Money) -> AmountTooSmall:
    return AmountTooSmall(f"The fee of {fee} {fee.asset.currency} takes all of {amount} {amount.asset.currency}.")
