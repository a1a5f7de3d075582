"""Ask for a withdrawal, cancel it. The operator's decisions stand in `review`, sending in `sending`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bpn.chapters.wallet import events, rules
from bpn.chapters.wallet.errors import AddressCooling, AddressNotWhitelisted, ServicePaused, TransactionNotFound
from bpn.chapters.wallet.model import (
    Status,
    Token,
    Transaction,
    TransactionType,
    WalletTerms,
    WhitelistStatus,
)
from bpn.chapters.wallet.model.outgoing import Purpose
from bpn.chapters.wallet.operations.holds import hold, resolutions
from bpn.chapters.wallet.operations.wallets import require_wallet
from bpn.chapters.wallet.store import transactions, whitelist
from bpn.chapters.wallet.store import withdrawals as store
from bpn.controls import operations as controls
from bpn.controls.model import AUTO_REVIEW_ABOVE, FeeTerms, Operation
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import FieldError, InvalidState
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger

CODE = "wallet.withdrawal"
"""The word of the ledger for what is held for a withdrawal."""


@dataclass(frozen=True, slots=True)
class WithdrawalCommand:
    """Send an amount from a wallet to a whitelisted address; the fee comes on top."""

    merchant_id: int
    merchant_transaction_id: str | None
    wallet_id: int | None
    token: Token
    address: str
    amount: Money
    remark: str | None


async def request_withdrawal(terms: WalletTerms, tx: DatabaseTransaction, command: WithdrawalCommand) -> Transaction:
    """Accept a withdrawal: amount and fee are held until the chain has decided.

    Raises:
        WalletNotFound: no such wallet.
        ServicePaused: withdrawals of the token are switched off.
        LimitExceeded: more than the operator allows at once, or in a day.
        InvalidRequest: mistyped.
        AmountTooSmall: less than the minimum.
        AddressNotWhitelisted: not on the list, or not approved.
        AddressCooling: approved, usable later.
        ServicePaused: a reorg removed a deposit that was spent; withdrawals of the token wait until that is settled.
        InsufficientBalance: less available than amount and fee.
    """
    view = await terms.controls.view(tx)
    view.require_running(command.merchant_id, Operation.WITHDRAWAL, command.amount.asset)
    rules.check_withdrawal_amount(command.token, command.amount)
    address = rules.parse_address(command.address)
    wallet = await require_wallet(tx, command.merchant_id, command.wallet_id)
    await require_usable_address(terms, tx, command.merchant_id, command.token, address)
    await require_nothing_owed(tx, command.merchant_id, command.token)
    review_above = view.merchant_setting(command.merchant_id, AUTO_REVIEW_ABOVE)
    review = rules.needs_review(terms, review_above, command.amount)
    standard = FeeTerms(flat=command.token.withdrawal_fee.to_decimal())
    transaction_id = tx.ids.next()
    transaction = Transaction(
        merchant_id=command.merchant_id,
        transaction_id=transaction_id,
        transaction_type=TransactionType.WITHDRAW,
        merchant_transaction_id=command.merchant_transaction_id or str(transaction_id),
        wallet_id=wallet.wallet_id,
        counter_wallet_id=None,
        merchant_user_id=wallet.merchant_user_id,
        amount=command.amount,
        fee=view.fee(command.merchant_id, Operation.WITHDRAWAL, command.amount, standard),
        status=Status.REVIEWING if review else Status.PROCESSING,
        from_address=terms.hot_address,
        to_address=address,
        hash=None,
        block_number=None,
        confirmations=0,
        required_confirmations=terms.networks[command.token.asset.network or ""].confirmations,
        remark=command.remark,
        fail_reason=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=None,
    )
    await controls.take_limit(tx, command.merchant_id, Operation.WITHDRAWAL, command.amount, view)
    source = rules.available_account(command.merchant_id, wallet.wallet_id, command.amount.asset)
    holds = await hold(tx, transaction, source, CODE)
    await transactions.insert(tx, [transaction])
    await store.insert(tx, transaction, holds, Purpose.WITHDRAWAL, unsent=not review)
    await events.withdrawal_changed(tx, transaction)
    return transaction


async def require_usable_address(
    terms: WalletTerms, tx: DatabaseTransaction, merchant_id: int, token: Token, address: str
) -> None:
    """Raise AddressNotWhitelisted or AddressCooling unless money may be sent to the address now."""
    entry = await whitelist.find_by_address(
        tx, terms.cipher, merchant_id, token.asset.network or "", token.asset.currency, address
    )
    if entry is None or entry.status is not WhitelistStatus.APPROVED:
        raise AddressNotWhitelisted(
            "The address is not an approved entry of the withdrawal whitelist.",
            [FieldError("address", "is not whitelisted")],
        )
    if entry.available_at > tx.now:
        raise AddressCooling(
            f"The address is usable from {to_milliseconds(entry.available_at)} on.",
            [FieldError("address", "is cooling")],
        )


async def require_nothing_owed(tx: DatabaseTransaction, merchant_id: int, token: Token) -> None:
    """Raise ServicePaused while the merchant owes what a reorg took away after it was spent."""
    (owed,) = await ledger.balances(tx, [rules.receivable_account(merchant_id, token.asset)])
    if owed.posted:
        raise ServicePaused(
            f"Withdrawals of {token.asset.code} wait: a deposit of {Money(-owed.posted, token.asset)} that was spent"
            " has vanished from the chain."
        )


async def cancel_withdrawal(
    tx: DatabaseTransaction,
    merchant_id: int,
    *,
    transaction_id: int,
) -> Transaction:
    """Call a withdrawal back while it is REVIEWING; what was held is free again.

    Raises:
        TransactionNotFound: no such withdrawal.
        InvalidState: it has left REVIEWING.
    """
    transaction = await lock_reviewed(tx, merchant_id, transaction_id)
    return await release(tx, transaction, Status.CANCELLED, "Cancelled by the merchant.")


async def release(tx: DatabaseTransaction, transaction: Transaction, status: Status, reason: str | None) -> Transaction:
    """End a held withdrawal in a state in which the money stays the merchant's; the caller holds its row."""
    rules.check_transition(transaction.transaction_type, transaction.status, status)
    await ledger.post_one(tx, *await resolutions(tx, transaction, CODE, posts=False))
    await give_limit_back(tx, transaction)
    released = replace(transaction, status=status, fail_reason=reason, updated_at=tx.now, completed_at=tx.now)
    await transactions.save(tx, released)
    await store.set_unsent(tx, released.merchant_id, released.transaction_id, unsent=False)
    await events.withdrawal_changed(tx, released)
    return released


async def give_limit_back(tx: DatabaseTransaction, transaction: Transaction) -> None:
    """Count a withdrawal that has failed no longer against its day; the caller changes its state with this."""
    await controls.give_back(
        tx, transaction.merchant_id, Operation.WITHDRAWAL, transaction.amount, transaction.created_at
    )


async def lock_reviewed(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> Transaction:
    """A withdrawal under review, held. Raises TransactionNotFound, or InvalidState when it has left REVIEWING."""
    transaction = await transactions.lock(tx, merchant_id, transaction_id)
    if transaction is None or transaction.transaction_type is not TransactionType.WITHDRAW:
        raise TransactionNotFound(f"There is no withdrawal {transaction_id}.")
    if transaction.status is not Status.REVIEWING:
        raise InvalidState(f"The withdrawal is {transaction.status}; only one that is REVIEWING can be decided.")
    return transaction
