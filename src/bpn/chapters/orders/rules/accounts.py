"""The chapter's accounts in the house book."""

from __future__ import annotations

from bpn.chapters.orders.model.reserves import SHARE_SCALE
from bpn.kernel.assets import Asset
from bpn.ledger.model import HOUSE, Account, Policy


def capital_account(asset: Asset) -> Account:
    """What the operator put into the house and neither the desk nor a pool has."""
    return Account(HOUSE, "capital", asset, Policy.ANY)


def desk_account(asset: Asset) -> Account:
    """The desk's inventory of an asset."""
    return Account(HOUSE, "desk", asset, Policy.CREDIT_BALANCE)


def pool_account(pool_id: int, asset: Asset) -> Account:
    """What a pool holds of one of its assets."""
    return Account(HOUSE, f"pool/{pool_id}", asset, Policy.CREDIT_BALANCE)


def share_asset(pool_id: int) -> Asset:
    """What shares of a pool are counted in."""
    return Asset(f"SHARES-{pool_id}", None, SHARE_SCALE)


def supply_account(pool_id: int) -> Account:
    """All shares of a pool that are out, as a debit balance."""
    return Account(HOUSE, f"pool/{pool_id}/supply", share_asset(pool_id), Policy.DEBIT_BALANCE)


def provider_account(pool_id: int, provider: int) -> Account:
    """The shares of a liquidity provider: a merchant, or the house (0)."""
    return Account(HOUSE, f"pool/{pool_id}/provider/{provider}", share_asset(pool_id), Policy.CREDIT_BALANCE)


def fee_account(asset: Asset) -> Account:
    """Fees earned from orders."""
    return Account(HOUSE, "order_fees", asset, Policy.CREDIT_BALANCE)
