"""The word of an earmark's owner on a cleared deposit: to the wallet, to suspense, or out of suspense."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.wallet.errors import TransactionNotFound
from bpn.chapters.wallet.model import Status, Transaction, TransactionType
from bpn.chapters.wallet.operations.deposits import put_into_suspense, release_deposit
from bpn.chapters.wallet.store import deposits, transactions
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import InvalidState
from bpn.ledger.model import Movement


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
