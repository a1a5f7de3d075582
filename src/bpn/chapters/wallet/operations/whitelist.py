"""Addresses that money may be withdrawn to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import WhitelistEntryNotFound
from bpn.chapters.wallet.model import Beneficiary, WalletTerms, WhitelistEntry, WhitelistStatus
from bpn.chapters.wallet.operations.cooling import cooling_of
from bpn.chapters.wallet.store import wallets
from bpn.chapters.wallet.store import whitelist as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import InvalidRequest, InvalidState


@dataclass(frozen=True, slots=True)
class WhitelistCommand:
    """Add an address: of one's own (`address_type` 1) or of a third party (2)."""

    merchant_id: int
    currency: str
    network: str | None
    address: str
    tag: str | None
    alias: str
    address_type: int
    beneficiary: Beneficiary


@dataclass(frozen=True, slots=True)
class WhitelistPage:
    """A page of entries and how many match."""

    total: int
    entries: list[WhitelistEntry]


async def add_withdraw_whitelist(
    terms: WalletTerms, tx: DatabaseTransaction, command: WhitelistCommand
) -> WhitelistEntry:
    """Ask for an address to be allowed: approved by the operator, or at once, and usable after the cooling time.

    Raises:
        UnsupportedCurrency, UnsupportedNetwork: not offered.
        InvalidRequest: a mistyped or burn address, a deposit address of this platform, or a name that the travel
            rule asks for is missing.
        InvalidState: the address is on the list already.
    """
    token = rules.find_token(terms, command.currency, command.network)
    network = token.asset.network or terms.home_network
    address = rules.parse_address(command.address)
    rules.check_beneficiary(command.beneficiary, command.address_type)
    if address == terms.hot_address or await wallets.find_owners(tx, network, [address]):
        raise InvalidRequest.of("address", "is a deposit address of this platform; use an internal transfer")
    status = WhitelistStatus.PENDING if terms.whitelist_needs_approval else WhitelistStatus.APPROVED
    entry = WhitelistEntry(
        merchant_id=command.merchant_id,
        whitelist_id=tx.ids.next(),
        currency=command.currency,
        network=network,
        address=address,
        tag=command.tag,
        alias=command.alias,
        address_type=command.address_type,
        beneficiary=command.beneficiary,
        status=status,
        fail_reason=None,
        available_at=tx.now + await cooling_of(terms, tx, command.merchant_id),
        created_at=tx.now,
    )
    if not await store.insert(tx, terms.cipher, entry):
        raise InvalidState("The address is on the whitelist already.")
    await events.whitelist_changed(tx, entry)
    return entry


async def delete_withdraw_whitelist(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    *,
    whitelist_id: int | None,
    currency: str | None,
    network: str | None,
    address: str | None,
) -> WhitelistEntry:
    """Take an address off the list at once; withdrawals already accepted go on.

    Raises:
        InvalidRequest: neither an id nor currency and address are given.
        WhitelistEntryNotFound: no such entry.
    """
    if whitelist_id is None:
        if currency is None or address is None:
            raise InvalidRequest.of("whitelistId", "or currency, network and address are required")
        token = rules.find_token(terms, currency, network)
        known = await store.find_by_address(
            tx,
            terms.cipher,
            merchant_id,
            token.asset.network or terms.home_network,
            currency,
            rules.parse_address(address),
        )
        whitelist_id = known.whitelist_id if known else 0
    entry = await store.lock(tx, terms.cipher, merchant_id, whitelist_id)
    if entry is None:
        raise WhitelistEntryNotFound("There is no such whitelist entry.")
    deleted = replace(entry, status=WhitelistStatus.DELETED)
    await store.save(tx, deleted)
    await events.whitelist_changed(tx, deleted)
    return deleted


async def list_withdraw_whitelist(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    *,
    currency: str | None,
    network: str | None,
    status: str | None,
    before: int | None,
    offset: int,
    limit: int,
) -> WhitelistPage:
    """The entries of a merchant that are not deleted, newest first."""
    total, entries = await store.page(
        tx,
        terms.cipher,
        merchant_id,
        currency=currency,
        network=network,
        status=status,
        before=before,
        offset=offset,
        limit=limit,
    )
    return WhitelistPage(total, entries)
