"""Invoices that wait for the operator."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import InvoiceNotFound
from bpn.chapters.accounts.model import Invoice
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.wiring.house import House

invoice_commands = typer.Typer(help="Decide on invoices of pay-ins.", no_args_is_help=True)
Subject = Annotated[int, typer.Argument(help="Its id.")]


@invoice_commands.command("list")
def list_invoices(as_json: Json = False, data: Data = None) -> None:
    """Invoices that wait for the operator, oldest first."""
    rows = [
        {
            "id": str(one.invoice_id),
            "merchant": str(one.merchant_id),
            "pay-in": str(one.order_id),
            "number": one.invoice_number,
            "date": one.invoice_date.isoformat(),
            "amount": f"{one.amount} {one.amount.asset.currency}",
            "file": str(one.file_id),
            "says": one.content,
        }
        for one in in_transaction(data, lambda house, tx: accounts.list_submitted_invoices(house.account_terms, tx))
    ]
    show(rows, as_json=as_json)


@invoice_commands.command("approve")
def approve(invoice_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Accept an invoice: its pay-in is the merchant's."""
    _decide(invoice_id, actor, reason, data, approved=True)


@invoice_commands.command("reject")
def reject(invoice_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Refuse an invoice: its pay-in waits for another."""
    _decide(invoice_id, actor, reason, data, approved=False)


def _decide(invoice_id: int, actor: str | None, reason: str | None, data: Data, *, approved: bool) -> None:
    async def work(house: House, tx: Transaction) -> Invoice:
        waiting = await accounts.list_submitted_invoices(house.account_terms, tx)
        found = next((one for one in waiting if one.invoice_id == invoice_id), None)
        if found is None:
            raise InvoiceNotFound(f"There is no invoice {invoice_id} that waits.")
        decision = decision_of(actor, reason, approved=approved)
        return await accounts.decide_invoice(house.account_terms, tx, found.merchant_id, invoice_id, decision)

    say(f"{invoice_id} is {in_transaction(data, work).status}.")
