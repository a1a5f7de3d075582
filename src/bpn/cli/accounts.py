"""Master accounts, bank accounts that wait for approval, and what a bank told that nobody could place."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import BankAccountNotFound
from bpn.chapters.accounts.model import BankAccount, BankException, MasterAccount
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.wiring.house import House

account_commands = typer.Typer(
    help="Provision master accounts; decide on bank accounts and on what a bank told.", no_args_is_help=True
)
Subject = Annotated[int, typer.Argument(help="Its id.")]


@account_commands.command("provision")
def provision(
    merchant_id: Annotated[int, typer.Argument(help="Which merchant.")],
    currency: Annotated[list[str], typer.Argument(help="Which currencies: BRL, USD, EUR …")],
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Give a merchant master accounts; those that it has stay."""

    async def work(_house: House, tx: Transaction) -> list[MasterAccount]:
        names = [name.upper() for name in currency]
        return await accounts.provision_masters(tx, merchant_id, names, decision_of(actor, reason))

    for account in in_transaction(data, work):
        say(f"{account.asset.currency}: {account.account_id}")


@account_commands.command("list")
def list_bank_accounts(as_json: Json = False, data: Data = None) -> None:
    """Bank accounts that wait for the operator, oldest first."""
    rows = [
        {
            "id": str(one.bank_account_id),
            "merchant": str(one.merchant_id),
            "type": one.account_type,
            "network": one.network_type,
            "currency": one.currency,
            "holder": one.party.name or "",
            "since": one.created_at.isoformat(timespec="seconds"),
        }
        for one in in_transaction(data, lambda house, tx: accounts.list_pending_bank_accounts(house.account_terms, tx))
    ]
    show(rows, as_json=as_json)


@account_commands.command("approve")
def approve(bank_account_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Let a bank account be paid."""
    _decide(bank_account_id, actor, reason, data, approved=True)


@account_commands.command("reject")
def reject(bank_account_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Refuse a bank account."""
    _decide(bank_account_id, actor, reason, data, approved=False)


def _decide(bank_account_id: int, actor: str | None, reason: str | None, data: Data, *, approved: bool) -> None:
    async def work(house: House, tx: Transaction) -> BankAccount:
        waiting = await accounts.list_pending_bank_accounts(house.account_terms, tx)
        found = next((one for one in waiting if one.bank_account_id == bank_account_id), None)
        if found is None:
            raise BankAccountNotFound(f"There is no bank account {bank_account_id} that waits.")
        decision = decision_of(actor, reason, approved=approved)
        return await accounts.decide_bank_account(house.account_terms, tx, found.merchant_id, bank_account_id, decision)

    say(f"{bank_account_id} is {in_transaction(data, work).status}.")


@account_commands.command("exceptions")
def list_exceptions(as_json: Json = False, data: Data = None) -> None:
    """What a bank told that could not be placed, oldest first."""
    rows = [
        {
            "id": str(one.exception_id),
            "bank": one.source,
            "reference": one.rail_reference,
            "reason": one.reason,
            "since": one.created_at.isoformat(timespec="seconds"),
            "told": one.detail,
        }
        for one in in_transaction(data, lambda house, tx: accounts.list_bank_exceptions(house.account_terms, tx))
    ]
    show(rows, as_json=as_json)


@account_commands.command("close-exception")
def close_exception(exception_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Note that a line of the exceptions is dealt with."""

    async def work(house: House, tx: Transaction) -> BankException:
        return await accounts.close_bank_exception(house.account_terms, tx, exception_id, decision_of(actor, reason))

    in_transaction(data, work)
    say(f"{exception_id} is closed.")
