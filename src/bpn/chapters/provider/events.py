"""The facts the provider chapter announces, each in the transaction that makes it true."""

from __future__ import annotations

from bpn.chapters.provider.model import (
    CollectionOrder,
    CollectionOrderChanged,
    SubWallet,
    SubWalletChanged,
    UsdPayout,
    UsdPayoutChanged,
)
from bpn.database.pool import Transaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Announcement


async def wallet_changed(tx: Transaction, wallet: SubWallet) -> None:
    """A sub wallet has a new state."""
    await outbox.record(tx, [Announcement(wallet.merchant_id, wallet.wallet_id, SubWalletChanged(wallet))])


async def order_changed(tx: Transaction, order: CollectionOrder) -> None:
    """A collection order has a new state."""
    await outbox.record(tx, [Announcement(order.merchant_id, order.order_id, CollectionOrderChanged(order))])


async def payout_changed(tx: Transaction, payout: UsdPayout) -> None:
    """A payout in dollars has a new state."""
    await outbox.record(tx, [Announcement(payout.merchant_id, payout.payout_id, UsdPayoutChanged(payout))])
