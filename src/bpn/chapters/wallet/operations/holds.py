"""What is held for a transfer on its way out: the amount and its fee, until the chain has decided."""

from __future__ import annotations

from bpn.chapters.wallet.model import Transaction
from bpn.chapters.wallet.store import withdrawals as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Movement, Resolution, Transfer, house_account


async def hold(tx: DatabaseTransaction, transaction: Transaction, source: Account, code: str) -> store.Holds:
    """Hold amount and fee of a transaction at an account.

    Raises:
        InsufficientBalance: the account has less available.
    """
    target = house_account(transaction.merchant_id, transaction.amount.asset)

    def held(amount_code: str, part: int) -> Transfer:
        amount = (transaction.amount, transaction.fee)[part]
        return Transfer(tx.ids.next(), source, target, amount, amount_code, transaction.transaction_id, pending=True)

    amount_hold = held(code, 0)
    if transaction.fee.minor == 0:
        await ledger.post_one(tx, amount_hold)
        return store.Holds(amount_hold.id, None)
    fee_hold = held(f"{code}_fee", 1)
    await ledger.post_one(tx, amount_hold, fee_hold)
    return store.Holds(amount_hold.id, fee_hold.id)


async def resolutions(tx: DatabaseTransaction, transaction: Transaction, code: str, *, posts: bool) -> list[Movement]:
    """The movements that end a transaction's holds: taken, or released."""
    holds = await store.holds_of(tx, transaction.merchant_id, transaction.transaction_id)
    ending = f"{code}_taken" if posts else f"{code}_released"
    return [
        Resolution(tx.ids.next(), transaction.merchant_id, hold_id, posts, ending, transaction.transaction_id)
        for hold_id in (holds.amount_hold_id, holds.fee_hold_id)
        if hold_id is not None
    ]
