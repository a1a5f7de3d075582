"""The desk and the pools as of one moment, and the best way from one asset to another through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from bpn.chapters.orders.errors import AmountTooSmall, LiquidityUnavailable
from bpn.chapters.orders.model import Hop, PoolState, Route, Venue
from bpn.chapters.orders.model.reserves import BPS, Reserves
from bpn.chapters.orders.rules import stableswap
from bpn.chapters.orders.rules.stableswap import PoolDrainedError
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Pricing:
    """How the desk prices: what one whole unit of a currency is in another, and a merchant's spread on a pair."""

    mid: Callable[[str, str], Fraction]
    spread_bps: Callable[[int, str, str], int]


@dataclass(frozen=True, slots=True)
class _Ratio:
    """Minor units out for minor units in, exactly: `numerator / denominator`."""

    numerator: int
    denominator: int


class Market:
    """Prices and fills orders one after another, in memory. What is filled is as final as the ledger batch made of it.

    The desk gives at the rate less the merchant's spread (at the rate plus it, where fiat buys a stablecoin), a pool by
    its invariant while its price stays within the guard around the rate. Of all ways through the desk, one pool or two
    hops the best for the merchant is taken.
    """

    def __init__(
        self, pricing: Pricing, inventory: Mapping[Asset, int], pools: Sequence[PoolState], guard_bps: int
    ) -> None:
        self._pricing = pricing
        self._inventory = dict(inventory)
        self._pools = {pool.pool_id: pool for pool in pools}
        self._of_asset: dict[Asset, list[int]] = {}
        for pool in pools:
            for asset in pool.assets:
                self._of_asset.setdefault(asset, []).append(pool.pool_id)
        self._guard = Fraction(guard_bps, BPS)
        self._ratios: dict[tuple[int, Asset, Asset], _Ratio] = {}
        self._prices: dict[tuple[int, int], Fraction | None] = {}

    def mid(self, source: Asset, target: Asset) -> Fraction:
        """What one whole unit of an asset is in another; one for a currency on two networks."""
        if source.currency == target.currency:
            return Fraction(1)
        return self._pricing.mid(source.currency, target.currency)

    def best_for(self, merchant_id: int, paid: Money, target: Asset) -> Route:
        """The way that gives the most of `target` for what is paid.

        Raises:
            RateUnavailable: there is no fresh rate to price or to guard by.
            AmountTooSmall: it comes to less than one minor unit.
            LiquidityUnavailable: nobody has as much.
        """
        best: Route = ()
        priced = False
        for route, fits in self._ways_out(merchant_id, paid, target):
            priced = priced or route[-1].received.minor > 0
            if fits and (not best or route[-1].received > best[-1].received):
                best = route
        if best and best[-1].received.minor > 0:
            return best
        if not priced:
            raise AmountTooSmall(f"{paid} {paid.asset.currency} comes to less than the smallest unit.")
        raise self._dry(target)

    def best_to(self, merchant_id: int, source: Asset, received: Money) -> Route:
        """The way that costs the least of `source` for what is to be received. Raises as `best_for`."""
        routes = [route for route, fits in self._ways_in(merchant_id, source, received) if fits]
        if not routes:
            raise self._dry(received.asset)
        return min(routes, key=lambda route: (route[0].paid.minor, len(route)))

    def refill(self, merchant_id: int, route: Route) -> Route:
        """A way that fills the amounts of a quote now: the quoted one, else the best that gives no less.

        Whatever it gives beyond the quote stays with the venue.

        Raises:
            LiquidityUnavailable: none does.
        """
        if self._can(route):
            return route
        paid, received = route[0].paid, route[-1].received
        try:
            best = self.best_for(merchant_id, paid, received.asset)
        except AmountTooSmall:
            raise self._dry(received.asset) from None
        if best[-1].received < received:
            raise self._dry(received.asset)
        return (*best[:-1], replace(best[-1], received=received))

    def fill(self, route: Route) -> None:
        """Take a route's amounts: what comes after sees the venues as it leaves them."""
        for hop in route:
            if hop.venue is Venue.DESK:
                self._inventory[hop.received.asset] = self._inventory.get(hop.received.asset, 0) - hop.received.minor
                self._inventory[hop.paid.asset] = self._inventory.get(hop.paid.asset, 0) + hop.paid.minor
            else:
                pool, side = self._pool(hop)
                reserves = pool.reserves.after(side, hop.paid.minor, hop.received.minor)
                self._pools[pool.pool_id] = replace(pool, reserves=reserves)
                self._prices.pop((pool.pool_id, 0), None)
                self._prices.pop((pool.pool_id, 1), None)

    def _can(self, route: Route) -> bool:
        """Whether every venue of a quoted route still gives what was quoted. The desk keeps its word on the price."""
        for hop in route:
            if hop.venue is Venue.DESK:
                if self._inventory.get(hop.received.asset, 0) < hop.received.minor:
                    return False
            elif hop.pool_id not in self._pools:
                return False
            else:
                pool, side = self._pool(hop)
                given = stableswap.amount_out(pool.reserves, side, hop.paid.minor)
                if given < hop.received.minor or not self._guarded(pool, side, hop.paid.minor, hop.received.minor):
                    return False
        return True

    def _pool(self, hop: Hop) -> tuple[PoolState, int]:
        pool = self._pools[hop.pool_id or 0]
        return pool, pool.assets.index(hop.paid.asset)

    def _dry(self, target: Asset) -> LiquidityUnavailable:
        return LiquidityUnavailable(f"There is not enough {target.currency} to fill this now; try less, or later.")

    def _ways_out(self, merchant_id: int, paid: Money, target: Asset) -> Iterator[tuple[Route, bool]]:
        """Every way worth looking at, with whether the venues have as much; the desk first, for it bounds the rest."""
        desk, fits = self._desk_out(merchant_id, paid, target)
        yield (desk,), fits
        floor = desk.received.minor if fits else -1
        for pool_id in self._of_asset.get(paid.asset, ()):
            pool = self._pools[pool_id]
            side = pool.assets.index(paid.asset)
            middle = pool.assets[1 - side]
            if self._promise(pool, side, paid.minor, middle, target, merchant_id) <= floor:
                continue
            first = self._pool_out(pool, side, paid)
            if first is None or not first.received.minor:
                continue
            if middle == target:
                yield (first,), True
                continue
            second, second_fits = self._desk_out(merchant_id, first.received, target)
            yield (first, second), second_fits
            for hop in self._pools_out(first.received, target, without=pool_id):
                yield (first, hop), True
        for pool_id in self._of_asset.get(target, ()):
            pool = self._pools[pool_id]
            side = 1 - pool.assets.index(target)
            middle = pool.assets[side]
            if middle == paid.asset:
                continue
            first, first_fits = self._desk_out(merchant_id, paid, middle)
            if not first.received.minor or self._limit(pool, side, first.received.minor) <= floor:
                continue
            second_hop = self._pool_out(pool, side, first.received)
            if second_hop is not None:
                yield (first, second_hop), first_fits

    def _pools_out(self, paid: Money, target: Asset, *, without: int) -> Iterator[Hop]:
        for pool_id in self._of_asset.get(paid.asset, ()):
            pool = self._pools[pool_id]
            side = pool.assets.index(paid.asset)
            if pool_id != without and pool.assets[1 - side] == target:
                hop = self._pool_out(pool, side, paid)
                if hop is not None:
                    yield hop

    def _ways_in(self, merchant_id: int, source: Asset, received: Money) -> Iterator[tuple[Route, bool]]:
        target = received.asset
        desk, fits = self._desk_in(merchant_id, source, received)
        yield (desk,), fits
        for pool_id in self._of_asset.get(target, ()):
            pool = self._pools[pool_id]
            side = 1 - pool.assets.index(target)
            middle = pool.assets[side]
            last = self._pool_in(pool, side, received)
            if last is None:
                continue
            if middle == source:
                yield (last,), True
                continue
            first, first_fits = self._desk_in(merchant_id, source, last.paid)
            yield (first, last), first_fits
            for other_id in self._of_asset.get(source, ()):
                other = self._pools[other_id]
                other_side = other.assets.index(source)
                if other_id != pool_id and other.assets[1 - other_side] == middle:
                    hop = self._pool_in(other, other_side, last.paid)
                    if hop is not None:
                        yield (hop, last), True
        for pool_id in self._of_asset.get(source, ()):
            pool = self._pools[pool_id]
            side = pool.assets.index(source)
            middle = pool.assets[1 - side]
            if middle == target:
                continue
            second, second_fits = self._desk_in(merchant_id, middle, received)
            hop = self._pool_in(pool, side, second.paid)
            if hop is not None:
                yield (hop, second), second_fits

    def _desk_out(self, merchant_id: int, paid: Money, target: Asset) -> tuple[Hop, bool]:
        ratio = self._ratio(merchant_id, paid.asset, target)
        received = Money(paid.minor * ratio.numerator // ratio.denominator, target)
        return Hop(Venue.DESK, None, paid, received), self._inventory.get(target, 0) >= received.minor

    def _desk_in(self, merchant_id: int, source: Asset, received: Money) -> tuple[Hop, bool]:
        ratio = self._ratio(merchant_id, source, received.asset)
        paid = Money(max(1, -(-received.minor * ratio.denominator // ratio.numerator)), source)
        return Hop(Venue.DESK, None, paid, received), self._inventory.get(received.asset, 0) >= received.minor

    def _ratio(self, merchant_id: int, source: Asset, target: Asset) -> _Ratio:
        key = (merchant_id, source, target)
        found = self._ratios.get(key)
        if found is None:
            spread = Fraction(self._pricing.spread_bps(merchant_id, source.currency, target.currency), BPS)
            mid = self.mid(source, target)
            buys = source.network is None and target.network is not None
            price = mid / (1 + spread) if buys else mid * (1 - spread)
            price *= Fraction(10) ** (target.scale - source.scale)
            found = self._ratios[key] = _Ratio(price.numerator, price.denominator)
        return found

    def _pool_out(self, pool: PoolState, side: int, paid: Money) -> Hop | None:
        received = stableswap.amount_out(pool.reserves, side, paid.minor)
        if not self._guarded(pool, side, paid.minor, received):
            return None
        return Hop(Venue.POOL, pool.pool_id, paid, Money(received, pool.assets[1 - side]))

    def _pool_in(self, pool: PoolState, side: int, received: Money) -> Hop | None:
        try:
            paid = stableswap.amount_in(pool.reserves, side, received.minor)
        except PoolDrainedError:
            return None
        if not self._guarded(pool, side, paid, received.minor):
            return None
        return Hop(Venue.POOL, pool.pool_id, Money(paid, pool.assets[side]), received)

    def _guarded(self, pool: PoolState, side: int, paid: int, received: int) -> bool:
        """Whether the pool's price is within the guard around the rate, before and after."""
        mid = self.mid(pool.assets[side], pool.assets[1 - side])
        after = stableswap.price(pool.reserves.after(side, paid, received), side)
        return all(
            price is not None and abs(price - mid) <= mid * self._guard for price in (self._price(pool, side), after)
        )

    def _price(self, pool: PoolState, side: int) -> Fraction | None:
        key = (pool.pool_id, side)
        if key not in self._prices:
            self._prices[key] = stableswap.price(pool.reserves, side)
        return self._prices[key]

    def _limit(self, pool: PoolState, side: int, paid: int) -> int:
        """More than a pool can give: its price before the swap, for the price only gets worse."""
        price = self._price(pool, side)
        if price is None:
            return 0
        reserves: Reserves = pool.reserves
        scale = reserves.scales[1 - side] - reserves.scales[side]
        up, down = int(10 ** max(0, scale)), int(10 ** max(0, -scale))
        return int(paid * price.numerator * up * (BPS - reserves.fee_bps) // (price.denominator * down * BPS)) + 1

    def _promise(self, pool: PoolState, side: int, paid: int, middle: Asset, target: Asset, merchant_id: int) -> int:
        """More than a way that begins with this pool can come to."""
        limit = self._limit(pool, side, paid)
        if middle == target:
            return limit
        if any(
            target in self._pools[other].assets for other in self._of_asset.get(middle, ()) if other != pool.pool_id
        ):
            return limit * int(10 ** max(0, target.scale - middle.scale)) * 2
        ratio = self._ratio(merchant_id, middle, target)
        return limit * ratio.numerator // ratio.denominator + 1
