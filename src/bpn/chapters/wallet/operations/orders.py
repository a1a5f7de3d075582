"""The wallet side of another chapter's order: the account that its batch moves, and the lines of the history."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import OrderLeg, Status, Transaction, TransactionType
from bpn.chapters.wallet.store import transactions
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money
from bpn.ledger.model import Account


def wallet_account(merchant_id: int, wallet_id: int, asset: Asset) -> Account:
    """What the merchant may spend from a wallet, for the movements of an order."""
    return rules.available_account(merchant_id, wallet_id, asset)


def suspense_account(merchant_id: int, asset: Asset) -> Account:
    """What arrived and may not be spent until somebody decides, for the movements of an earmark's owner."""
    return rules.suspense_account(merchant_id, asset)


async def record_order_legs(tx: DatabaseTransaction, legs: Sequence[OrderLeg]) -> list[Transaction]:
    """Write what orders moved in wallets into the history, in the transaction that moves it."""
    recorded = [_recorded(tx, leg) for leg in legs]
    if recorded:
        await transactions.insert(tx, recorded)
    return recorded


def _recorded(tx: DatabaseTransaction, leg: OrderLeg) -> Transaction:
    transaction_id = tx.ids.next()
    return Transaction(
        merchant_id=leg.merchant_id,
        transaction_id=transaction_id,
        transaction_type=TransactionType.ORDER,
        merchant_transaction_id=f"{leg.order_id}/{transaction_id}",
        wallet_id=leg.wallet_id,
        counter_wallet_id=None,
        merchant_user_id=None,
        amount=leg.amount,
        fee=Money.zero(leg.amount.asset),
        status=Status.SUCCESS,
        from_address=None,
        to_address=None,
        hash=None,
        block_number=None,
        confirmations=0,
        required_confirmations=0,
        remark=leg.remark,
        fail_reason=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=tx.now,
        counter_currency=leg.counter_currency,
        incoming=leg.incoming,
    )
