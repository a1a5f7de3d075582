"""What waits for the operator, and deciding it: withdrawals under review, frozen deposits, whitelist entries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, TypeVar

import typer

from bpn.audit import operations as audit
from bpn.audit.model import AuditEntry, Decision
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import TransactionNotFound, WhitelistEntryNotFound
from bpn.chapters.wallet.model import Transaction, WalletTerms, WhitelistEntry
from bpn.cli.deciding import Actor, Why, Work, decision_of, in_transaction, show
from bpn.cli.installation import configure_logging, in_house, load_settings, say
from bpn.cli.rows import Json
from bpn.cli.scoping import Merchant, say_outcome
from bpn.cli.servers import Data
from bpn.controls.model import ALL_MERCHANTS, Version
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.wiring.house import House

withdrawal_commands = typer.Typer(help="Decide on withdrawals that wait for review.", no_args_is_help=True)
deposit_commands = typer.Typer(help="Decide on deposits that screening froze.", no_args_is_help=True)
whitelist_commands = typer.Typer(help="Decide on whitelist entries that wait for approval.", no_args_is_help=True)
audit_commands = typer.Typer(help="Look at what was decided.", no_args_is_help=True)

Subject = Annotated[int, typer.Argument(help="Its id.")]
Result = TypeVar("Result")


@withdrawal_commands.command("list")
def list_withdrawals(as_json: Json = False, data: Data = None) -> None:
    """Withdrawals that wait for the operator, oldest first."""
    show([_row(one) for one in in_transaction(data, _of(wallet.list_reviewing))], as_json=as_json)


@withdrawal_commands.command("approve")
def approve_withdrawal(transaction_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Let a withdrawal leave. Large ones need a second person, by BPN_SECOND_PERSON_ABOVE."""
    _decide_withdrawal(transaction_id, decision_of(actor, reason, approved=True), data)


@withdrawal_commands.command("reject")
def reject_withdrawal(transaction_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Refuse a withdrawal; what was held is free again."""
    _decide_withdrawal(transaction_id, decision_of(actor, reason, approved=False), data)


def _decide_withdrawal(transaction_id: int, decision: Decision, data: Data) -> None:
    async def decide(house: House, tx: DatabaseTransaction) -> Transaction:
        found = _find(await wallet.list_reviewing(house.wallet_terms, tx), transaction_id, "withdrawal under review")
        return await wallet.decide_withdrawal(house.wallet_terms, tx, found.merchant_id, transaction_id, decision)

    decided = in_transaction(data, decide)
    waits = decision.approved and decided.status == "REVIEWING"
    say(f"{transaction_id} is {decided.status}{': another person must approve too' if waits else ''}.")


@withdrawal_commands.command("accept-nonces")
def accept_nonces(
    network: Annotated[str, typer.Argument(help="Which network.")],
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """After a restored backup: send on from the nonce that the chain expects. First see what left without a record."""
    from bpn.wiring.chains import hot_wallet_count  # noqa: PLC0415 - seconds of imports that only this command needs

    configure_logging()

    async def accept(house: House) -> int:
        count = await hot_wallet_count(house, network)
        async with house.database.transaction() as tx:
            await wallet.accept_nonces(tx, network, count, decision_of(actor, reason, approved=True))
        return count

    say(f"{network}: the next nonce is {in_house(load_settings(data), accept)}.")


@deposit_commands.command("list")
def list_deposits(as_json: Json = False, data: Data = None) -> None:
    """Deposits that screening froze, oldest first."""
    show([_row(one) for one in in_transaction(data, _of(wallet.list_frozen))], as_json=as_json)


@deposit_commands.command("release")
def release_deposit(transaction_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Give a frozen deposit to its wallet."""
    _decide_deposit(transaction_id, decision_of(actor, reason, approved=True), data)


@deposit_commands.command("refuse")
def refuse_deposit(transaction_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Put a frozen deposit into suspense."""
    _decide_deposit(transaction_id, decision_of(actor, reason, approved=False), data)


@deposit_commands.command("return")
def return_deposit(
    transaction_id: Subject,
    address: Annotated[str, typer.Argument(help="Where to, confirmed with whoever sent it.")],
    merchant_id: Annotated[int, typer.Option("--merchant", help="Whose deposit.")],
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Send a deposit in suspense back on chain, once, less the fee of refunds; the address is screened first."""
    decision = decision_of(actor, reason)

    async def send_back(house: House, tx: DatabaseTransaction) -> Transaction:
        return await wallet.return_deposit(house.wallet_terms, tx, merchant_id, transaction_id, address, decision)

    refund = in_transaction(data, send_back)
    say(f"{transaction_id} is RETURNING by {refund.transaction_id}: {refund.amount} {refund.amount.asset.code}.")


def _decide_deposit(transaction_id: int, decision: Decision, data: Data) -> None:
    async def decide(house: House, tx: DatabaseTransaction) -> Transaction:
        found = _find(await wallet.list_frozen(house.wallet_terms, tx), transaction_id, "frozen deposit")
        return await wallet.decide_deposit(tx, found.merchant_id, transaction_id, decision)

    say(f"{transaction_id} is {in_transaction(data, decide).status}.")


@whitelist_commands.command("list")
def list_whitelist(as_json: Json = False, data: Data = None) -> None:
    """Whitelist entries that wait for the operator, oldest first."""
    rows = [
        {
            "id": str(entry.whitelist_id),
            "merchant": str(entry.merchant_id),
            "asset": f"{entry.currency}@{entry.network}",
            "address": entry.address,
            "alias": entry.alias,
        }
        for entry in in_transaction(data, _of(wallet.list_pending_whitelist))
    ]
    show(rows, as_json=as_json)


@whitelist_commands.command("approve")
def approve_whitelist(whitelist_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Allow an address; it is usable after the cooling time."""
    _decide_whitelist(whitelist_id, decision_of(actor, reason, approved=True), data)


@whitelist_commands.command("reject")
def reject_whitelist(whitelist_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Refuse an address."""
    _decide_whitelist(whitelist_id, decision_of(actor, reason, approved=False), data)


@whitelist_commands.command("cooling")
def set_cooling(
    seconds: Annotated[int, typer.Argument(help="From approval until an address is usable.")],
    merchant: Merchant = None,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Set the cooling time. A shorter one holds only after the old one has passed."""

    async def change(house: House, tx: DatabaseTransaction) -> Version:
        return await wallet.set_whitelist_cooling(
            house.wallet_terms,
            tx,
            timedelta(seconds=seconds),
            decision_of(actor, reason),
            merchant or ALL_MERCHANTS,
        )

    say_outcome(in_transaction(data, change))


def _decide_whitelist(whitelist_id: int, decision: Decision, data: Data) -> None:
    async def decide(house: House, tx: DatabaseTransaction) -> WhitelistEntry:
        waiting = await wallet.list_pending_whitelist(house.wallet_terms, tx)
        found = next((entry for entry in waiting if entry.whitelist_id == whitelist_id), None)
        if found is None:
            raise WhitelistEntryNotFound(f"There is no whitelist entry {whitelist_id} that waits.")
        return await wallet.decide_whitelist(house.wallet_terms, tx, found.merchant_id, whitelist_id, decision)

    say(f"{whitelist_id} is {in_transaction(data, decide).status}.")


@audit_commands.command("list")
def list_audit(as_json: Json = False, data: Data = None) -> None:
    """The newest decisions: who, what, why, before and after."""

    async def read(_house: House, tx: DatabaseTransaction) -> list[AuditEntry]:
        return await audit.list_entries(tx)

    rows = [
        {
            "time": entry.created_at.isoformat(timespec="seconds"),
            "actor": entry.actor,
            "action": entry.action,
            "subject": str(entry.subject_id),
            "reason": entry.reason or "",
            "before": entry.before,
            "after": entry.after,
        }
        for entry in in_transaction(data, read)
    ]
    show(rows, as_json=as_json)


def _find(waiting: Sequence[Transaction], transaction_id: int, what: str) -> Transaction:
    for transaction in waiting:
        if transaction.transaction_id == transaction_id:
            return transaction
    raise TransactionNotFound(f"There is no {what} {transaction_id}.")


def _row(transaction: Transaction) -> Mapping[str, str]:
    return {
        "id": str(transaction.transaction_id),
        "merchant": str(transaction.merchant_id),
        "amount": f"{transaction.amount} {transaction.amount.asset.code}",
        "from": transaction.from_address or "",
        "to": transaction.to_address or "",
        "since": transaction.updated_at.isoformat(timespec="seconds"),
        "reason": transaction.fail_reason or "",
    }


def _of(operation: Callable[[WalletTerms, DatabaseTransaction], Awaitable[Result]]) -> Work[Result]:
    async def work(house: House, tx: DatabaseTransaction) -> Result:
        return await operation(house.wallet_terms, tx)

    return work
