"""Sub wallets: opened by a link, frozen and closed by the provider or by the platform."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.provider import events
from bpn.chapters.provider.errors import SubWalletNotFound
from bpn.chapters.provider.model import (
    EARMARK,
    Freezer,
    ProviderTerms,
    SubWallet,
    SubWalletFilter,
    SubWalletStatus,
)
from bpn.chapters.provider.store import wallets as store
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import Earmark
from bpn.database.pool import Transaction
from bpn.kernel.errors import IdempotencyConflict, InvalidState

_WAITING_AT_ONCE = 500
_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """Open a sub wallet for a customer, and make the link that the customer is sent."""

    request_id: str
    partner_user_id: str
    account_name: str
    return_url: str | None
    locale: str | None


@dataclass(frozen=True, slots=True)
class SubWalletPage:
    """A page of sub wallets and how many match."""

    total: int
    wallets: list[SubWallet]


async def create_collection_account_link(
    terms: ProviderTerms, tx: Transaction, merchant_id: int, command: LinkCommand
) -> SubWallet:
    """Open a sub wallet: PENDING where an operator approves customers, else ACTIVE with its address at once.

    Raises:
        IdempotencyConflict: the request id was used before.
        ServicePaused: a network is not being read yet.
    """
    link_id = tx.ids.next()
    opened = await wallet.open_collection_wallet(
        tx, merchant_id, f"{command.account_name} ({link_id})", command.partner_user_id
    )
    made = SubWallet(
        merchant_id=merchant_id,
        wallet_id=opened.wallet_id,
        link_id=link_id,
        token=secrets.token_urlsafe(_TOKEN_BYTES),
        request_id=command.request_id,
        partner_user_id=command.partner_user_id,
        account_name=command.account_name,
        status=SubWalletStatus.PENDING if terms.needs_approval else SubWalletStatus.ACTIVE,
        frozen_by=None,
        reason=None,
        address=None if terms.needs_approval else await _open_address(terms, tx, merchant_id, opened.wallet_id),
        return_url=command.return_url,
        locale=command.locale,
        expires_at=tx.now + terms.link_lifetime,
        confirmed_at=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    if not await store.insert(tx, made):
        raise IdempotencyConflict("requestId was used before, for another link.")
    await events.wallet_changed(tx, made)
    return made


async def _open_address(terms: ProviderTerms, tx: Transaction, merchant_id: int, wallet_id: int) -> str:
    # Who pays is not known beforehand; screening looks the sending address up.
    return await wallet.open_earmark(
        terms.wallet, tx, merchant_id, Earmark(EARMARK, wallet_id), wallet_id=wallet_id, sender_required=False
    )


async def get_sub_wallet(tx: Transaction, merchant_id: int, wallet_id: int) -> SubWallet:
    """A sub wallet; raises SubWalletNotFound."""
    return _found(await store.find(tx, merchant_id, wallet_id), wallet_id)


async def list_sub_wallets(
    tx: Transaction, merchant_id: int, filters: SubWalletFilter, *, before: int | None, offset: int, limit: int
) -> SubWalletPage:
    """The sub wallets of a merchant, newest first; `before` is a link's id."""
    total, wallets = await store.page(tx, merchant_id, filters, before=before, offset=offset, limit=limit)
    return SubWalletPage(total, wallets)


async def change_sub_wallet_status(
    tx: Transaction, merchant_id: int, wallet_id: int, status: SubWalletStatus, reason: str | None
) -> SubWallet:
    """Freeze, thaw or close a sub wallet by the provider's word; the state that it has already is no change.

    Raises:
        SubWalletNotFound: no such sub wallet.
        InvalidState: it is closed, or waits for approval, or the platform froze it.
    """
    held = await _lock(tx, merchant_id, wallet_id)
    if held.status is status and held.frozen_by is not Freezer.PLATFORM:
        return held
    if held.frozen_by is Freezer.PLATFORM:
        raise InvalidState("The platform froze this wallet; only the platform can change that.")
    if held.status in {SubWalletStatus.CLOSED, SubWalletStatus.PENDING}:
        raise InvalidState(f"The wallet is {held.status}; it cannot become {status}.")
    frozen_by = Freezer.PROVIDER if status is SubWalletStatus.FROZEN else None
    return await _saved(tx, replace(held, status=status, frozen_by=frozen_by, reason=reason))


async def list_pending_sub_wallets(tx: Transaction) -> list[SubWallet]:
    """Sub wallets of all merchants that wait for the operator, oldest first."""
    return await store.pending(tx, _WAITING_AT_ONCE)


async def decide_sub_wallet(
    terms: ProviderTerms, tx: Transaction, merchant_id: int, wallet_id: int, decision: Decision
) -> SubWallet:
    """Approve a customer that waits, so that it gets its address; or refuse it: the wallet is closed.

    Raises:
        SubWalletNotFound: no such sub wallet.
        InvalidState: it is decided already.
        ServicePaused: a network is not being read yet.
    """
    held = await _lock(tx, merchant_id, wallet_id)
    if held.status is not SubWalletStatus.PENDING:
        raise InvalidState(f"The wallet is {held.status}; only one that is PENDING can be decided.")
    if decision.approved:
        address = await _open_address(terms, tx, merchant_id, wallet_id)
        decided = replace(held, status=SubWalletStatus.ACTIVE, address=address)
    else:
        decided = replace(held, status=SubWalletStatus.CLOSED, reason=decision.reason)
    return await _audited(tx, held, await _saved(tx, decided), decision)


async def freeze_sub_wallet(tx: Transaction, merchant_id: int, wallet_id: int, decision: Decision) -> SubWallet:
    """Freeze a sub wallet by the platform's word (not approved: lift it). Lifted, it is ACTIVE.

    Raises:
        SubWalletNotFound: no such sub wallet.
        InvalidState: it is closed or waits for approval; or, to lift, the platform has not frozen it.
    """
    held = await _lock(tx, merchant_id, wallet_id)
    if held.status in {SubWalletStatus.CLOSED, SubWalletStatus.PENDING}:
        raise InvalidState(f"The wallet is {held.status}; it cannot be frozen.")
    if decision.approved:
        changed = replace(held, status=SubWalletStatus.FROZEN, frozen_by=Freezer.PLATFORM, reason=decision.reason)
    elif held.frozen_by is Freezer.PLATFORM:
        changed = replace(held, status=SubWalletStatus.ACTIVE, frozen_by=None, reason=decision.reason)
    else:
        raise InvalidState("The platform has not frozen this wallet.")
    return await _audited(tx, held, await _saved(tx, changed), decision)


async def find_collection_page(tx: Transaction, token: str) -> SubWallet:
    """The sub wallet of a link; raises SubWalletNotFound for a token that nobody has, or one whose time is over."""
    found = await store.find_by_token(tx, token)
    if found is None or found.expires_at <= tx.now:
        raise SubWalletNotFound("There is no such link.")
    return found


async def confirm_name(tx: Transaction, token: str) -> SubWallet:
    """Note that the customer confirmed its name; once.

    Raises:
        SubWalletNotFound: no such link.
    """
    found = await find_collection_page(tx, token)
    held = await _lock(tx, found.merchant_id, found.wallet_id)
    if held.confirmed_at is not None:
        return held
    return await _saved(tx, replace(held, confirmed_at=tx.now))


async def _lock(tx: Transaction, merchant_id: int, wallet_id: int) -> SubWallet:
    return _found(await store.lock(tx, merchant_id, wallet_id), wallet_id)


def _found(wallet: SubWallet | None, wallet_id: int) -> SubWallet:
    if wallet is None:
        raise SubWalletNotFound(f"There is no sub wallet {wallet_id}.")
    return wallet


async def _saved(tx: Transaction, wallet: SubWallet) -> SubWallet:
    saved = replace(wallet, updated_at=tx.now)
    await store.save(tx, saved)
    await events.wallet_changed(tx, saved)
    return saved


async def _audited(tx: Transaction, before: SubWallet, after: SubWallet, decision: Decision) -> SubWallet:
    await audit.record(
        tx,
        decision,
        merchant_id=before.merchant_id,
        action="collection.wallet",
        subject_id=before.wallet_id,
        before=before.status,
        after=after.status,
    )
    return after
