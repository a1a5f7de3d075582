"""Ask merchants about their virtual accounts, read and decide on their answers."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import InformationRequestNotFound
from bpn.chapters.accounts.model import AccountTerms, InformationRequest
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.wiring.house import House

information_commands = typer.Typer(help="Ask about virtual accounts, and decide on the answers.", no_args_is_help=True)
Subject = Annotated[int, typer.Argument(help="Its id.")]


@information_commands.command("list")
def list_requests(as_json: Json = False, data: Data = None) -> None:
    """What is asked and not closed, oldest first, with the answers."""

    async def read(house: House, tx: Transaction) -> list[dict[str, str]]:
        return [await _row(house.account_terms, tx, one) for one in await accounts.list_open_requests(tx)]

    show(in_transaction(data, read), as_json=as_json)


async def _row(terms: AccountTerms, tx: Transaction, request: InformationRequest) -> dict[str, str]:
    return {
        "id": str(request.request_id),
        "merchant": str(request.merchant_id),
        "account": str(request.account_id),
        "template": request.template,
        "status": request.status,
        "due": request.due_at.isoformat(timespec="seconds"),
        "answers": json.dumps(await accounts.read_answers(terms, tx, request)),
    }


@information_commands.command("ask")
def ask(
    merchant_id: Annotated[int, typer.Argument(help="Which merchant.")],
    account_id: Annotated[int, typer.Argument(help="About which virtual account.")],
    template: Annotated[str, typer.Option(help="What: SOURCE_OF_FUNDS, BUSINESS_RELATION or GENERAL.")] = "GENERAL",
    question: Annotated[str | None, typer.Option(help="In your own words.")] = None,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Ask about a virtual account; it is RESTRICTED until the answers are enough."""

    async def work(house: House, tx: Transaction) -> InformationRequest:
        decision = decision_of(actor, reason)
        return await accounts.ask_information(
            house.account_terms, tx, merchant_id, account_id, template, question, decision
        )

    say(f"{in_transaction(data, work).request_id} is asked.")


@information_commands.command("approve")
def approve(request_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """The answers are enough: the account is free again."""
    _decide(request_id, actor, reason, data, approved=True)


@information_commands.command("reject")
def reject(request_id: Subject, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """The answers are not enough: ask again, with the reason."""
    _decide(request_id, actor, reason, data, approved=False)


def _decide(request_id: int, actor: str | None, reason: str | None, data: Data, *, approved: bool) -> None:
    async def work(house: House, tx: Transaction) -> InformationRequest:
        waiting = await accounts.list_open_requests(tx)
        found = next((one for one in waiting if one.request_id == request_id), None)
        if found is None:
            raise InformationRequestNotFound(f"There is no information request {request_id} that waits.")
        decision = decision_of(actor, reason, approved=approved)
        return await accounts.decide_information(house.account_terms, tx, found.merchant_id, request_id, decision)

    say(f"{request_id} is {in_transaction(data, work).status}.")
