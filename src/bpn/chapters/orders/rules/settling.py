"""The movements of an order: every leg in one chain, and which states may follow."""

from __future__ import annotations

from bpn.chapters.orders.model import NEXT, Hop, Route, Status, Venue
from bpn.chapters.orders.rules.accounts import desk_account, fee_account, pool_account
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidState
from bpn.kernel.money import Money
from bpn.ledger.model import Account

Step = tuple[Account, Account, Money, str]
"""From, to, how much, why."""


def steps(payer: Account, payee: Account, route: Route, fee: Money) -> list[Step]:
    """What moves from where to where when a route is filled; the fee is of the first or of the last asset."""
    found: list[Step] = []
    first, last = route[0], route[-1]
    if fee.minor and fee.asset == first.paid.asset:
        found.append((payer, fee_account(fee.asset), fee, "orders.fee"))
    source = payer
    for hop in route:
        found.append((source, venue_account(hop, hop.paid.asset), hop.paid, "orders.conversion"))
        source = venue_account(hop, hop.received.asset)
    arrives = last.received
    if fee.minor and fee.asset == last.received.asset and fee.asset != first.paid.asset:
        arrives -= fee
        found.append((source, fee_account(fee.asset), fee, "orders.fee"))
    found.append((source, payee, arrives, "orders.conversion"))
    return found


def venue_account(hop: Hop, asset: Asset) -> Account:
    """Where a venue keeps an asset."""
    return desk_account(asset) if hop.venue is Venue.DESK else pool_account(hop.pool_id or 0, asset)


def check_transition(status: Status, following: Status) -> None:
    """Raise InvalidState unless an order may go from one state to the other."""
    if following not in NEXT[status] if status in NEXT else True:
        raise InvalidState(f"The order is {status}; it cannot become {following}.")
