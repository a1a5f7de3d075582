"""Open and list wallets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bpn.chapters.wallet.errors import WalletNameTaken, WalletNotFound
from bpn.chapters.wallet.model import Wallet, WalletType
from bpn.chapters.wallet.store import wallets as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import FieldError, Refusal
from bpn.kernel.ids import random_wallet_id

PRIMARY_NAME = "Main"


@dataclass(frozen=True, slots=True)
class WalletPage:
    """A page of wallets and how many match."""

    total: int
    wallets: list[Wallet]


async def open_primary_wallet(tx: DatabaseTransaction, merchant_id: int) -> Wallet:
    """The primary wallet of a merchant, opened now if it has none."""
    await _open(tx, merchant_id, WalletType.PRIMARY, PRIMARY_NAME, None)
    return await require_wallet(tx, merchant_id, None)


async def create_sub_account(
    tx: DatabaseTransaction, merchant_id: int, name: str, merchant_user_id: str | None
) -> Wallet:
    """Open a `sub` wallet.

    Raises:
        WalletNameTaken: another wallet of the merchant has the name.
    """
    wallet = await _open(tx, merchant_id, WalletType.SUB, name, merchant_user_id)
    if wallet is None:
        raise WalletNameTaken(f"A wallet named {name!r} exists already.", [FieldError("name", "is taken")])
    return wallet


async def open_collection_wallet(
    tx: DatabaseTransaction, merchant_id: int, name: str, merchant_user_id: str | None
) -> Wallet:
    """Open a wallet of type `collection_sub`, which collects for a customer of the merchant.

    Raises:
        WalletNameTaken: another wallet of the merchant has the name.
    """
    wallet = await _open(tx, merchant_id, WalletType.COLLECTION_SUB, name, merchant_user_id)
    if wallet is None:
        raise WalletNameTaken(f"A wallet named {name!r} exists already.", [FieldError("accountName", "is taken")])
    return wallet


async def _open(
    tx: DatabaseTransaction, merchant_id: int, wallet_type: WalletType, name: str, merchant_user_id: str | None
) -> Wallet | None:
    index = await store.next_address_index(tx)
    wallet = Wallet(merchant_id, random_wallet_id(), wallet_type, name, merchant_user_id, index, tx.now)
    return wallet if await store.insert(tx, wallet) else None


async def list_wallets(
    tx: DatabaseTransaction,
    merchant_id: int,
    *,
    wallet_type: str | None,
    name: str | None,
    before: int | None,
    offset: int,
    limit: int,
) -> WalletPage:
    """Wallets of a merchant, newest first; `before` is an address index."""
    total, wallets = await store.page(
        tx, merchant_id, wallet_type=wallet_type, name=name, before=before, offset=offset, limit=limit
    )
    return WalletPage(total, wallets)


async def list_sub_accounts(
    tx: DatabaseTransaction, merchant_id: int, *, name: str | None, before: int | None, offset: int, limit: int
) -> WalletPage:
    """The `sub` wallets of a merchant, newest first."""
    return await list_wallets(
        tx, merchant_id, wallet_type=WalletType.SUB, name=name, before=before, offset=offset, limit=limit
    )


async def require_wallets(tx: DatabaseTransaction, keys: Sequence[tuple[int, int | None]]) -> list[Wallet | Refusal]:
    """Wallets by merchant and id (None: the primary one), in order; WalletNotFound in the place of one that is not."""
    found = await store.find_many(tx, keys)
    return [
        wallet or WalletNotFound(f"There is no wallet {wallet_id}.", [FieldError("walletId", "is unknown")])
        for wallet, (_, wallet_id) in zip(found, keys, strict=True)
    ]


async def require_wallet(tx: DatabaseTransaction, merchant_id: int, wallet_id: int | None) -> Wallet:
    """A wallet of the merchant, the primary one when no id is given.

    Raises:
        WalletNotFound: no such wallet, or another merchant's.
    """
    wallet = await store.find(tx, merchant_id, wallet_id)
    if wallet is None:
        raise WalletNotFound(f"There is no wallet {wallet_id}.", [FieldError("walletId", "is unknown")])
    return wallet
