"""The travel rule: who sent a deposit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import TransactionNotFound
from bpn.chapters.wallet.model import Deposit, Status, Transaction, WalletTerms
from bpn.chapters.wallet.store import deposits, transactions
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import InvalidRequest, InvalidState

_AFTER_DETAILS = frozenset({Status.SCREENING, Status.COMPLETED, Status.FROZEN})


async def add_deposit_sender(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    *,
    transaction_id: int | None,
    hash_: str | None,
    details: Mapping[str, object],
) -> Transaction:
    """Take the sender's details of a confirmed deposit; screening begins.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_id: whose deposit it is.
        transaction_id: names the deposit.
        hash_: names it too, where the transaction holds only one.
        details: what is kept, sealed; the same details again give the same answer.

    Raises:
        InvalidRequest: neither id nor hash, or a hash with several deposits.
        TransactionNotFound: no such deposit.
        InvalidState: not confirmed yet, or other details were given before.
    """
    deposit = await _find(tx, merchant_id, transaction_id, hash_)
    transaction = deposit.transaction
    content = json.dumps(details, sort_keys=True)
    digest = hashlib.sha256(content.encode()).digest()
    if transaction.status in _AFTER_DETAILS:
        if digest == deposit.sender_digest:
            return transaction
        raise InvalidState("Other sender details of this deposit were accepted before.")
    if transaction.status is not Status.SENDER_REQUIRED:
        raise InvalidState(f"The deposit is {transaction.status}; sender details are taken at SENDER_REQUIRED.")
    rules.check_transition(transaction.transaction_type, transaction.status, Status.SCREENING)
    await deposits.set_sender(tx, terms.cipher, transaction, content, digest)
    screened = replace(transaction, status=Status.SCREENING, updated_at=tx.now)
    await transactions.save(tx, screened)
    await events.deposits_changed(tx, [screened])
    return screened


async def _find(tx: DatabaseTransaction, merchant_id: int, transaction_id: int | None, hash_: str | None) -> Deposit:
    if transaction_id is None and hash_ is None:
        raise InvalidRequest.of("transactionId", "or hash is required")
    found = await deposits.lock_for_sender(tx, merchant_id, transaction_id=transaction_id, hash_=hash_)
    if not found:
        raise TransactionNotFound("There is no such deposit.")
    if len(found) > 1:
        raise InvalidRequest.of("transactionId", "is required: this hash holds several deposits")
    return found[0]
