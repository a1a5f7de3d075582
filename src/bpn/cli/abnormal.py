"""What the operator decides on money that came for payment links and completed none."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.chapters.payment_links import operations
from bpn.chapters.payment_links.errors import AbnormalFundNotFound
from bpn.chapters.payment_links.model import AbnormalFund
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.review import Subject
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.wiring.house import House

abnormal_commands = typer.Typer(
    help="Decide on money that came for payment links and completed none.", no_args_is_help=True
)


@abnormal_commands.command("list")
def list_funds(as_json: Json = False, data: Data = None) -> None:
    """Funds that merchants submitted, and refunds that failed or were frozen, oldest first."""

    async def waiting(_house: House, tx: Transaction) -> list[AbnormalFund]:
        return await operations.list_waiting_funds(tx)

    rows = [
        {
            "id": str(fund.abnormal_fund_id),
            "merchant": str(fund.merchant_id),
            "amount": f"{fund.amount} {fund.amount.asset.code}",
            "labels": ", ".join(fund.labels),
            "status": fund.status,
            "asked": "" if fund.action is None else fund.action.value,
            "to": fund.refund_address or "",
            "from": fund.from_address or "",
            "reason": fund.reason or "",
        }
        for fund in in_transaction(data, waiting)
    ]
    show(rows, as_json=as_json)


@abnormal_commands.command("refund")
def refund_fund(
    fund_id: Subject,
    address: Annotated[str | None, typer.Option(help="Another address than the merchant gave.")] = None,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Send a fund back on chain, less the network's fee, to the address that the payer confirmed."""

    async def refund(house: House, tx: Transaction) -> AbnormalFund:
        found = await _find(tx, fund_id)
        decision = decision_of(actor, reason, approved=True)
        return await operations.refund_abnormal_fund(
            house.link_terms, tx, found.merchant_id, fund_id, decision, address
        )

    say(f"{fund_id} is {in_transaction(data, refund).status}.")


@abnormal_commands.command("credit")
def credit_fund(fund_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Give a fund to the merchant's wallet."""

    async def credit(_house: House, tx: Transaction) -> AbnormalFund:
        found = await _find(tx, fund_id)
        return await operations.credit_abnormal_fund(
            tx, found.merchant_id, fund_id, decision_of(actor, reason, approved=True)
        )

    say(f"{fund_id} is {in_transaction(data, credit).status}.")


async def _find(tx: Transaction, fund_id: int) -> AbnormalFund:
    for fund in await operations.list_waiting_funds(tx):
        if fund.abnormal_fund_id == fund_id:
            return fund
    raise AbnormalFundNotFound(f"There is no abnormal fund {fund_id} that waits.")
