"""The word of an earmark's owner on a cleared deposit: to the wallet, to suspense, or out of suspense."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.errors import TransactionNotFound
from bpn.chapters.wallet.model import Status, Transaction, TransactionType
from bpn.chapters.wallet.operations.deposits import put_into_suspense, release_deposit
from bpn.chapters.wallet.store import deposits, transactions
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import InvalidState
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Movement, Transfer


async def assign_deposit(
    tx: DatabaseTransaction, merchant_id: int, transaction_id: int, also: Sequence[Movement] = ()
) -> Transaction:
    """Release a cleared deposit to its wallet; `also` are movements of the owner in the same chain.

    Raises:
        TransactionNotFound: no such deposit.
        InvalidState: it is not cleared, or assigned already.
        InsufficientBalance: a movement of the owner asks for more than there is.
    """
    return await release_deposit(tx, await _lock_cleared(tx, merchant_id, transaction_id), also)


async def set_deposit_aside(tx: DatabaseTransaction, merchant_id: int, transaction_id: int, reason: str) -> Transaction:
    """Put a cleared deposit into suspense: it becomes REJECTED and stays until it is credited or returned.

    Raises:
        TransactionNotFound: no such deposit.
        InvalidState: it is not cleared, or assigned already.
    """
    return await put_into_suspense(tx, await _lock_cleared(tx, merchant_id, transaction_id), reason)


async def credit_from_suspense(
    tx: DatabaseTransaction, merchant_id: int, transaction_id: int, also: Sequence[Movement] = ()
) -> Transaction:
    """Release a deposit that was set aside to its wallet after all.

    Raises:
        TransactionNotFound: no such deposit.
        InvalidState: it is not in suspense.
    """
    transaction = await _lock(tx, merchant_id, transaction_id)
    if transaction.status is not Status.REJECTED:
        raise InvalidState(f"The deposit is {transaction.status}; only one in suspense can be credited.")
    return await release_deposit(tx, transaction, also)


async def _lock_cleared(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> Transaction:
    transaction = await _lock(tx, merchant_id, transaction_id)
    if transaction.status is not Status.SCREENING or not await deposits.cleared(tx, [transaction]):
        raise InvalidState(f"The deposit is {transaction.status} and does not wait for its owner.")
    return transaction


async def _lock(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> Transaction:
    transaction = await transactions.lock(tx, merchant_id, transaction_id)
    if transaction is None or transaction.transaction_type is not TransactionType.DEPOSIT:
        raise TransactionNotFound(f"There is no deposit {transaction_id}.")
    return transaction


async def credit_rest(
    tx: DatabaseTransaction, merchant_id: int, wallet_id: int, amount: Money, code: str, reference_id: int
) -> None:
    """Give what an earmark's owner put into suspense to a wallet, less what the merchant owes.

    Args:
        tx: the transaction.
        merchant_id: whose.
        wallet_id: to which wallet.
        amount: how much.
        code: the owner's word for it in the ledger.
        reference_id: what it is about.

    Raises:
        InsufficientBalance: there is less in suspense.
    """
    asset = amount.asset
    suspense, receivable = rules.suspense_account(merchant_id, asset), rules.receivable_account(merchant_id, asset)
    (owed,) = await ledger.balances(tx, [receivable])
    repaid = min(-owed.posted, amount.minor)
    parts = [(receivable, repaid), (rules.available_account(merchant_id, wallet_id, asset), amount.minor - repaid)]
    await ledger.post_one(
        tx,
        *[
            Transfer(tx.ids.next(), suspense, target, Money(minor, asset), code, reference_id)
            for target, minor in parts
            if minor
        ],
    )
