"""Between a merchant's own wallets: at once, free, atomic. The hot path: written for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import InsufficientBalance, TransactionNotFound, WalletNotFound
from bpn.chapters.wallet.model import (
    HistoryFilter,
    Status,
    Transaction,
    TransactionType,
    Wallet,
    WalletTerms,
)
from bpn.chapters.wallet.operations.history import TransactionPage, list_transactions
from bpn.chapters.wallet.store import transactions, wallets
from bpn.controls.model import Operation
from bpn.controls.rules import ControlsView
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import FieldError, InvalidRequest, Refusal
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Transfer


@dataclass(frozen=True, slots=True)
class TransferCommand:
    """Move an amount from one wallet of a merchant to another."""

    merchant_id: int
    merchant_transaction_id: str | None
    from_wallet_id: int
    to_wallet_id: int
    amount: Money
    remark: str | None


async def transfer_between_wallets(
    terms: WalletTerms, tx: DatabaseTransaction, commands: Sequence[TransferCommand]
) -> list[Transaction | Refusal]:
    """Decide transfers in order, each accepted or refused on its own, all that are accepted in this transaction.

    Refusals: ServicePaused, InvalidRequest (to itself), WalletNotFound, InsufficientBalance.
    """
    view = await terms.controls.view(tx)
    found = await wallets.find_many(
        tx,
        [(c.merchant_id, wallet_id) for c in commands for wallet_id in (c.from_wallet_id, c.to_wallet_id)],
    )
    results: dict[int, Transaction | Refusal] = {}
    planned: list[tuple[int, Transaction]] = []
    for place, command in enumerate(commands):
        try:
            source = _require_wallets(view, command, *found[2 * place : 2 * place + 2])
        except Refusal as refusal:
            results[place] = refusal
        else:
            planned.append((place, _settled(tx, command, source)))
    outcomes = await ledger.post(tx, [(_movement(tx, transaction),) for _, transaction in planned])
    for (place, transaction), outcome in zip(planned, outcomes, strict=True):
        results[place] = transaction if outcome.accepted else _insufficient(transaction)
    if settled := [result for result in results.values() if isinstance(result, Transaction)]:
        await transactions.insert(tx, settled)
        await events.transfers_settled(tx, settled)
    return [results[place] for place in range(len(commands))]


def _require_wallets(
    view: ControlsView, command: TransferCommand, source: Wallet | None, target: Wallet | None
) -> Wallet:
    view.require_running(command.merchant_id, Operation.INTERNAL_TRANSFER, command.amount.asset)
    if command.from_wallet_id == command.to_wallet_id:
        raise InvalidRequest.of("toWalletId", "must be another wallet than fromWalletId")
    if source is None:
        raise WalletNotFound(
            f"There is no wallet {command.from_wallet_id}.", [FieldError("fromWalletId", "is unknown")]
        )
    if target is None:
        raise WalletNotFound(f"There is no wallet {command.to_wallet_id}.", [FieldError("toWalletId", "is unknown")])
    return source


def _settled(tx: DatabaseTransaction, command: TransferCommand, source: Wallet) -> Transaction:
    transaction_id = tx.ids.next()
    return Transaction(
        merchant_id=command.merchant_id,
        transaction_id=transaction_id,
        transaction_type=TransactionType.INTERNAL_TRANSFER,
        merchant_transaction_id=command.merchant_transaction_id or str(transaction_id),
        wallet_id=command.from_wallet_id,
        counter_wallet_id=command.to_wallet_id,
        merchant_user_id=source.merchant_user_id,
        amount=command.amount,
        fee=Money.zero(command.amount.asset),
        status=Status.SUCCESS,
        from_address=None,
        to_address=None,
        hash=None,
        block_number=None,
        confirmations=0,
        required_confirmations=0,
        remark=command.remark,
        fail_reason=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=tx.now,
    )


def _movement(tx: DatabaseTransaction, transaction: Transaction) -> Transfer:
    asset = transaction.amount.asset
    target = transaction.counter_wallet_id or 0
    return Transfer(
        tx.ids.next(),
        rules.available_account(transaction.merchant_id, transaction.wallet_id, asset),
        rules.available_account(transaction.merchant_id, target, asset),
        transaction.amount,
        "wallet.internal_transfer",
        transaction.transaction_id,
    )


def _insufficient(transaction: Transaction) -> InsufficientBalance:
    return InsufficientBalance(
        f"Wallet {transaction.wallet_id} has less than {transaction.amount} {transaction.amount.asset.code} available.",
        [FieldError("amount", "is more than what is available")],
    )


async def get_wallet_transfer(
    tx: DatabaseTransaction,
    merchant_id: int,
    *,
    transaction_id: int | None,
    merchant_transaction_id: str | None,
) -> Transaction:
    """A transfer by our id or by the merchant's.

    Raises:
        InvalidRequest: both or neither are given.
        TransactionNotFound: no such transfer.
    """
    if (transaction_id is None) == (merchant_transaction_id is None):
        raise InvalidRequest.of("transactionId", "or merchantTransactionId must be given, exactly one of them")
    transaction = await transactions.find(
        tx,
        merchant_id,
        TransactionType.INTERNAL_TRANSFER,
        transaction_id=transaction_id,
        merchant_transaction_id=merchant_transaction_id,
    )
    if transaction is None:
        raise TransactionNotFound("There is no such internal transfer.")
    return transaction


async def list_wallet_transfers(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    filters: HistoryFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> TransactionPage:
    """The internal transfers of a merchant, newest first; `filters` names the type INTERNAL_TRANSFER."""
    return await list_transactions(terms, tx, merchant_id, filters, before=before, offset=offset, limit=limit)
