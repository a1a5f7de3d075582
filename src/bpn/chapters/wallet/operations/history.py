"""A merchant's history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import HistoryFilter, Transaction, WalletTerms
from bpn.chapters.wallet.operations.wallets import require_wallet
from bpn.chapters.wallet.store import transactions
from bpn.database.pool import Transaction as DatabaseTransaction


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """A page of transactions and how many match."""

    total: int
    transactions: list[Transaction]


async def list_transactions(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    filters: HistoryFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> TransactionPage:
    """Transactions of a merchant that match all filters, newest first.

    Raises:
        WalletNotFound: the wallet asked for is not the merchant's.
        UnsupportedCurrency: the currency asked for is not offered.
    """
    if filters.currency is not None:
        rules.check_currency(terms, filters.currency)
    if filters.wallet_id is not None:
        await require_wallet(tx, merchant_id, filters.wallet_id)
    total, rows = await transactions.page(tx, merchant_id, filters, before=before, offset=offset, limit=limit)
    return TransactionPage(total, rows)


async def count_confirmations(tx: DatabaseTransaction, keys: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """How many confirmations transactions have at the head known, by merchant and id: merchant, id, count."""
    return await transactions.confirmations(tx, keys)
