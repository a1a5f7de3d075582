"""Earmarks: addresses of their own for what stands above the wallet, such as payment links and orders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.errors import ServicePaused, TransactionNotFound
from bpn.chapters.wallet.model import Earmark, Transaction, TransactionType, WalletTerms
from bpn.chapters.wallet.operations.wallets import require_wallet
from bpn.chapters.wallet.store import chains, deposits, transactions, wallets
from bpn.chapters.wallet.store import earmarks as store
from bpn.database.pool import Transaction as DatabaseTransaction


async def open_earmark(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    earmark: Earmark,
    *,
    wallet_id: int | None,
    sender_required: bool = True,
) -> str:
    """Give an earmark an address of its own, watched on every network; the address.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_id: whose it is.
        earmark: what deposits are for; new.
        wallet_id: where they are shown and released to, the primary wallet when None.
        sender_required: whether deposits wait for their sender's details.

    Raises:
        WalletNotFound: no such wallet.
        ServicePaused: a network is not being read yet.
    """
    wallet = await require_wallet(tx, merchant_id, wallet_id)
    if len(await chains.positions(tx)) < len(terms.networks):
        # Reading begins at the head that the first worker finds: what was sent before would be missed.
        raise ServicePaused("Not every network is being read yet; try again in a moment.")
    index = await wallets.next_address_index(tx)
    address = rules.derive_address(terms.account_public_key, index)
    await store.insert(
        tx,
        merchant_id,
        earmark,
        wallet_id=wallet.wallet_id,
        address_index=index,
        sender_required=sender_required,
    )
    await store.insert_addresses(tx, merchant_id, earmark, list(terms.networks), address)
    return address


async def list_earmark_deposits(tx: DatabaseTransaction, merchant_id: int, earmark: Earmark) -> list[Transaction]:
    """The deposits of an earmark in all their states, oldest first."""
    return await transactions.of_earmark(tx, merchant_id, earmark)


async def get_deposit(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> Transaction:
    """A deposit as it is now.

    Raises:
        TransactionNotFound: this merchant has no such deposit.
    """
    found = await transactions.find(tx, merchant_id, TransactionType.DEPOSIT, transaction_id=transaction_id)
    if found is None:
        raise TransactionNotFound(f"There is no deposit {transaction_id}.")
    return found


async def cleared_deposits(tx: DatabaseTransaction, transactions: Sequence[Transaction]) -> set[int]:
    """Which of these deposits wait for their owner's word, by id."""
    return await deposits.cleared(tx, transactions)


async def list_cleared(tx: DatabaseTransaction, kind: str, limit: int = 100) -> list[Transaction]:
    """Cleared deposits that wait for an owner of this kind, held: the sweep of a listener that missed a fact."""
    return await store.list_cleared(tx, kind, limit)


async def set_earmark_sender(
    terms: WalletTerms, tx: DatabaseTransaction, merchant_id: int, earmark: Earmark, details: Mapping[str, object]
) -> None:
    """Keep the details of whoever pays to an earmark: its coming deposits need no others."""
    await store.set_sender(tx, terms.cipher, merchant_id, earmark, json.dumps(details, sort_keys=True))


async def sender_is_known(terms: WalletTerms, tx: DatabaseTransaction, transaction: Transaction) -> bool:
    """Whether a deposit needs no details of its sender: its earmark asks for none, or brings them.

    Those that it brings are kept with the deposit.
    """
    if transaction.earmark is None:
        return False
    required, details = await store.find_sender(tx, terms.cipher, transaction.merchant_id, transaction.earmark)
    if details is not None:
        await deposits.set_sender(tx, terms.cipher, transaction, details, hashlib.sha256(details.encode()).digest())
    return details is not None or not required
