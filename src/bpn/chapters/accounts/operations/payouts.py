"""Ask for a payout: held until the bank has decided. The operator's decisions stand in `review`."""

from __future__ import annotations

from dataclasses import dataclass

from bpn.chapters.accounts import rules
from bpn.chapters.accounts.errors import BankAccountNotFound, InvalidState, VirtualAccountNotFound
from bpn.chapters.accounts.model import (
    AccountTerms,
    BankAccountStatus,
    EmailScene,
    MasterAccount,
    Order,
    OrderType,
    PaymentState,
    Status,
)
from bpn.chapters.accounts.operations.codes import check_email_code
from bpn.chapters.accounts.operations.outgoing import Outgoing, accept, new_order
from bpn.chapters.accounts.store import masters, papers
from bpn.controls import operations as controls
from bpn.controls.errors import ServicePaused
from bpn.controls.model import Operation
from bpn.database.pool import Transaction
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ports.readers import BankParty


@dataclass(frozen=True, slots=True)
class PayoutCommand:
    """Pay from a master account to a bank account that is known, or to a beneficiary given here; the fee is on top."""

    merchant_id: int
    merchant_order_id: str | None
    primary_account_id: int
    amount: Money
    bank_account_id: int | None
    network_type: str | None
    beneficiary: BankParty | None
    purpose: str | None
    remark: str | None
    email_code: str | None


def usual_rail(currency: str, network_type: str | None) -> str:
    """The rail by which a beneficiary is paid; raises UnsupportedCurrency or UnsupportedRail."""
    return rules.find_rail(rules.find_supported(currency, None), network_type, "networkType").rail


async def create_payout(terms: AccountTerms, tx: Transaction, command: PayoutCommand) -> Order:
    """Accept a payout: amount and fee are held until the bank has decided.

    Raises:
        EmailCodeRequired, EmailCodeInvalid: the merchant's setting demands a code.
        VirtualAccountNotFound: no such master account.
        BankAccountNotFound, InvalidState: no such bank account, or not one that may be paid.
        UnsupportedRail: the currency does not move by the beneficiary's network.
        AmountTooSmall, LimitExceeded: what the rail, or the operator, does not allow.
        ServicePaused: payouts are switched off, or the merchant owes what a rail took back.
        IdempotencyConflict: another order has the merchant's id.
        InsufficientBalance: less available than amount and fee.
    """
    await check_email_code(terms, tx, command.merchant_id, EmailScene.PAYOUT, None, command.email_code)
    master = await _require_master(tx, command)
    party, network = await _beneficiary(terms, tx, command)
    return await _begin(terms, tx, command, master, party, network, earmark=None)


async def request_payout(terms: AccountTerms, tx: Transaction, command: PayoutCommand, earmark: str) -> Order:
    """As `create_payout`, for a chapter above: without a code, and with an `earmark` by which it knows the facts.

    Its end is told by `OrderChanged` with that earmark: SUCCESS, FAILED, REJECTED, and RETURNED after a SUCCESS.
    """
    master = await _require_master(tx, command)
    party, network = await _beneficiary(terms, tx, command)
    return await _begin(terms, tx, command, master, party, network, earmark=earmark)


async def _begin(
    terms: AccountTerms,
    tx: Transaction,
    command: PayoutCommand,
    master: MasterAccount,
    party: BankParty,
    network: str | None,
    *,
    earmark: str | None,
) -> Order:
    amount, merchant_id = command.amount, command.merchant_id
    rail = rules.find_rail(rules.find_supported(amount.asset.currency, None), network, "networkType")
    rules.check_payout_amount(rail, amount)
    view = await terms.controls.view(tx)
    view.require_running(merchant_id, Operation.PAYOUT, amount.asset)
    await _require_nothing_owed(tx, merchant_id, amount)
    await controls.take_limit(tx, merchant_id, Operation.PAYOUT, amount, view)
    outgoing = Outgoing(
        merchant_id=merchant_id,
        order_type=OrderType.PAYOUT,
        account_id=master.account_id,
        primary_account_id=master.account_id,
        merchant_order_id=command.merchant_order_id,
        amount=amount,
        fee=view.fee(merchant_id, Operation.PAYOUT, amount),
        rail=rail.rail,
        party=party,
        purpose=command.purpose,
        remark=command.remark,
        bank_account_id=command.bank_account_id,
        earmark=earmark,
    )
    review = rules.needs_review(terms, amount)
    order = new_order(terms, tx, outgoing, Status.REVIEWING if review else Status.PROCESSING)
    return await accept(terms, tx, order, PaymentState.WAITING if review else PaymentState.SCREENING)


async def _require_master(tx: Transaction, command: PayoutCommand) -> MasterAccount:
    master = await masters.find(tx, command.merchant_id, command.primary_account_id)
    if master is None:
        raise VirtualAccountNotFound(
            f"There is no master account {command.primary_account_id}.", [FieldError("virtualAccountId", "is unknown")]
        )
    if master.asset != command.amount.asset:
        raise InvalidRequest.of("currency", f"is not that of the account, which is {master.asset.currency}")
    return master


async def _beneficiary(terms: AccountTerms, tx: Transaction, command: PayoutCommand) -> tuple[BankParty, str | None]:
    """Who is paid, and by which rail; None for the currency's usual one."""
    if (command.bank_account_id is None) == (command.beneficiary is None):
        raise InvalidRequest.of("bankAccountId", "or beneficiary must be given, exactly one of them")
    if command.bank_account_id is None:
        return command.beneficiary or BankParty(), command.network_type
    account = await papers.find_bank_account(tx, terms.cipher, command.merchant_id, command.bank_account_id)
    if account is None:
        raise BankAccountNotFound(
            f"There is no bank account {command.bank_account_id}.", [FieldError("bankAccountId", "is unknown")]
        )
    if account.account_type != "beneficiary":
        raise InvalidRequest.of("bankAccountId", "is a payer's account, not a beneficiary's")
    if account.currency != command.amount.asset.currency:
        raise InvalidRequest.of("bankAccountId", f"is an account of {account.currency}")
    if account.status is not BankAccountStatus.APPROVED:
        raise InvalidState(f"The bank account is {account.status}; only one that is APPROVED can be paid.")
    return account.party, account.network_type


async def _require_nothing_owed(tx: Transaction, merchant_id: int, amount: Money) -> None:
    (owed,) = await ledger.balances(tx, [rules.receivable_account(merchant_id, amount.asset)])
    if owed.posted:
        raise ServicePaused(
            f"Payouts of {amount.asset.currency} wait: a rail has taken back {Money(-owed.posted, amount.asset)} that"
            " was spent."
        )
