"""How long an approved address waits before money may leave for it; shortening that wait itself waits."""

from __future__ import annotations

from datetime import timedelta

from bpn.audit.model import Decision
from bpn.chapters.wallet.model import WalletTerms
from bpn.controls import operations as controls
from bpn.controls.model import ALL_MERCHANTS, WHITELIST_COOLING_SECONDS, Version
from bpn.database.pool import Transaction as DatabaseTransaction


async def cooling_of(terms: WalletTerms, tx: DatabaseTransaction, merchant_id: int) -> timedelta:
    """The cooling time that holds for a merchant now."""
    seconds = await controls.merchant_setting(tx, merchant_id, WHITELIST_COOLING_SECONDS)
    return terms.whitelist_cooling if seconds is None else timedelta(seconds=seconds)


async def set_whitelist_cooling(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    cooling: timedelta,
    decision: Decision,
    merchant_id: int = ALL_MERCHANTS,
) -> Version:
    """Set the cooling time of a merchant, or of all.

    A longer one holds at once. A shorter one holds only after the old time has passed, so that whoever steals an
    operator's access gains nothing by shortening it first.

    Raises:
        InvalidRequest: below zero.
        SecondPersonRequired: the same person asks twice.
    """
    old = await cooling_of(terms, tx, merchant_id)
    return await controls.set_merchant_setting(
        tx,
        decision,
        WHITELIST_COOLING_SECONDS,
        int(cooling.total_seconds()),
        merchant_id=merchant_id,
        valid_from=tx.now + old if cooling < old else None,
        second_person_above=terms.second_person_above,
    )
