"""Payouts and refunds that wait for review, and pay-ins that wait for an invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import OrderNotFound
from bpn.chapters.accounts.model import Order
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.wiring.house import House

payout_commands = typer.Typer(help="Decide on payouts and refunds that wait for review.", no_args_is_help=True)
pay_in_commands = typer.Typer(help="See pay-ins that wait for an invoice; give one back.", no_args_is_help=True)
Subject = Annotated[int, typer.Argument(help="Its id.")]


@payout_commands.command("list")
def list_payouts(as_json: Json = False, data: Data = None) -> None:
    """Payouts and refunds that wait for the operator, oldest first."""
    found = in_transaction(data, lambda house, tx: accounts.list_reviewing_payouts(house.account_terms, tx))
    show([_row(one) for one in found], as_json=as_json)


@payout_commands.command("approve")
def approve_payout(order_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Let a payout leave. Large ones need a second person, by BPN_SECOND_PERSON_ABOVE."""
    _decide(order_id, actor, reason, data, approved=True)


@payout_commands.command("reject")
def reject_payout(order_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Refuse a payout; what was held is free again."""
    _decide(order_id, actor, reason, data, approved=False)


def _decide(order_id: int, actor: str | None, reason: str | None, data: Data, *, approved: bool) -> None:
    async def work(house: House, tx: Transaction) -> Order:
        found = _find(await accounts.list_reviewing_payouts(house.account_terms, tx), order_id, "payout under review")
        decision = decision_of(actor, reason, approved=approved)
        return await accounts.decide_payout(house.account_terms, tx, found.merchant_id, order_id, decision)

    decided = in_transaction(data, work)
    waits = approved and decided.status == "REVIEWING"
    say(f"{order_id} is {decided.status}{': another person must approve too' if waits else ''}.")


@pay_in_commands.command("list")
def list_pay_ins(as_json: Json = False, data: Data = None) -> None:
    """Pay-ins that wait for an invoice, oldest first."""
    found = in_transaction(data, lambda house, tx: accounts.list_waiting_pay_ins(house.account_terms, tx))
    show([_row(one) for one in found], as_json=as_json)


@pay_in_commands.command("return")
def return_pay_in(order_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Give a pay-in that waits for an invoice back to its payer."""

    async def work(house: House, tx: Transaction) -> Order:
        waiting = await accounts.list_waiting_pay_ins(house.account_terms, tx)
        found = _find(waiting, order_id, "pay-in that waits")
        decision = decision_of(actor, reason)
        return await accounts.return_pay_in(house.account_terms, tx, found.merchant_id, order_id, decision)

    say(f"{order_id} is {in_transaction(data, work).status}.")


def _find(waiting: Sequence[Order], order_id: int, what: str) -> Order:
    for order in waiting:
        if order.order_id == order_id:
            return order
    raise OrderNotFound(f"There is no {what} {order_id}.")


def _row(order: Order) -> Mapping[str, str]:
    return {
        "id": str(order.order_id),
        "merchant": str(order.merchant_id),
        "type": order.order_type,
        "amount": f"{order.amount} {order.amount.asset.currency}",
        "party": (order.party.name if order.party else None) or "",
        "since": order.updated_at.isoformat(timespec="seconds"),
        "reason": order.fail_reason or "",
    }
