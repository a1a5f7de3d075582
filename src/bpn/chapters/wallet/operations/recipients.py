"""Who is paid: looked up when an address is listed, and again before money leaves for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bpn.chapters.wallet import events
from bpn.chapters.wallet.model import Beneficiary, ScreeningCase, Status, WalletTerms, WhitelistEntry, WhitelistStatus
from bpn.chapters.wallet.operations.withdrawals import release
from bpn.chapters.wallet.store import transactions, whitelist
from bpn.chapters.wallet.store import withdrawals as store
from bpn.database.pool import Transaction as DatabaseTransaction

SCREENING_LIFETIME = timedelta(hours=1)
"""How long a look-up holds: what waits longer for its nonce is looked up again."""


async def list_unscreened_withdrawals(
    terms: WalletTerms, tx: DatabaseTransaction, network: str, limit: int
) -> list[ScreeningCase]:
    """Withdrawals that wait for a nonce and whose recipients were not looked up lately, oldest first."""
    cases = []
    for one in await store.unscreened(tx, network, tx.now - SCREENING_LIFETIME, limit):
        address, currency = one.to_address or "", one.amount.asset.currency
        entry = await whitelist.find_by_address(tx, terms.cipher, one.merchant_id, network, currency, address)
        names = () if entry is None else _names(entry.beneficiary)
        cases.append(ScreeningCase(one.merchant_id, one.transaction_id, address, names))
    return cases


async def record_recipient_screening(
    terms: WalletTerms, tx: DatabaseTransaction, case: ScreeningCase, *, hit: bool, reason: str | None
) -> bool:
    """Let a withdrawal go on to its nonce; or, on a hit, reject it and its address. False when it has gone on already.

    What has a nonce is past deciding: its signed bytes may be anywhere.
    """
    transaction = await transactions.lock(tx, case.merchant_id, case.transaction_id)
    if transaction is None or not await store.lock_if_unsent(tx, case.merchant_id, case.transaction_id):
        return False
    if not hit:
        await store.set_screened(tx, case.merchant_id, case.transaction_id)
        return True
    await release(tx, transaction, Status.REJECTED, reason)
    asset = transaction.amount.asset
    entry = await whitelist.find_by_address(
        tx, terms.cipher, case.merchant_id, asset.network or "", asset.currency, case.address or ""
    )
    if entry is not None:
        await _reject(tx, entry, reason)
    return True


async def list_unscreened_whitelist(terms: WalletTerms, tx: DatabaseTransaction, network: str) -> list[ScreeningCase]:
    """Addresses that nobody has looked up yet, oldest first."""
    return [
        ScreeningCase(entry.merchant_id, entry.whitelist_id, entry.address, _names(entry.beneficiary))
        for entry in await whitelist.unscreened(tx, terms.cipher, network)
    ]


async def record_whitelist_screening(
    terms: WalletTerms, tx: DatabaseTransaction, case: ScreeningCase, *, hit: bool, reason: str | None
) -> WhitelistEntry | None:
    """Note that an address was looked up, and reject it on a hit. None when it is deleted or rejected already."""
    entry = await whitelist.lock(tx, terms.cipher, case.merchant_id, case.transaction_id)
    if entry is None or entry.status is WhitelistStatus.REJECTED:
        return None
    await whitelist.set_screened(tx, entry)
    return await _reject(tx, entry, reason) if hit else entry


async def _reject(tx: DatabaseTransaction, entry: WhitelistEntry, reason: str | None) -> WhitelistEntry:
    rejected = replace(entry, status=WhitelistStatus.REJECTED, fail_reason=reason)
    await whitelist.save(tx, rejected)
    await events.whitelist_changed(tx, rejected)
    return rejected


def _names(beneficiary: Beneficiary) -> tuple[str, ...]:
    person = " ".join(name for name in (beneficiary.first_name, beneficiary.last_name) if name)
    return tuple(name for name in (beneficiary.company_name, person) if name)
