"""The facts the KYB chapter announces, each in the transaction that makes it true."""

from __future__ import annotations

from bpn.chapters.kyb.model import KybStatusChanged, SubUser, SubUserErased
from bpn.database.pool import Transaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Announcement


async def status_changed(tx: Transaction, sub_user: SubUser) -> None:
    """A sub user has a new state."""
    await outbox.record(tx, [Announcement(sub_user.merchant_id, sub_user.sub_user_id, KybStatusChanged(sub_user))])


async def sub_user_erased(tx: Transaction, sub_user: SubUser) -> None:
    """A sub user's details are wiped."""
    await outbox.record(
        tx, [Announcement(sub_user.merchant_id, sub_user.sub_user_id, SubUserErased(sub_user.sub_user_id))]
    )
