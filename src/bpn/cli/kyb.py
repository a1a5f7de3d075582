"""`bpn kyb`: sub users that wait for the operator, deciding on them, giving out or wiping what is kept of them."""

from __future__ import annotations

import getpass
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from bpn.audit.model import Decision
from bpn.chapters.kyb import operations as kyb
from bpn.chapters.kyb.model import SubUser
from bpn.cli.deciding import Actor, Why, show
from bpn.cli.installation import configure_logging, in_house, load_settings, say
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.files import operations as files
from bpn.wiring.house import House

kyb_commands = typer.Typer(help="Decide on the customers that merchants share.", no_args_is_help=True)
Result = TypeVar("Result")
SubUserId = Annotated[int, typer.Argument(help="The sub user's id.")]


@kyb_commands.command("list")
def list_kyb(as_json: Json = False, data: Data = None) -> None:
    """Sub users that wait for the operator, oldest first."""

    async def work(house: House) -> list[SubUser]:
        async with house.database.transaction() as tx:
            return await kyb.list_reviewing(tx)

    rows = [
        {
            "id": str(one.sub_user_id),
            "merchant": str(one.merchant_id),
            "partner id": one.partner_user_id,
            "type": one.customer_type.value,
            "since": one.updated_at.isoformat(timespec="seconds"),
        }
        for one in _run(data, work)
    ]
    show(rows, as_json=as_json)


@kyb_commands.command("show")
def show_kyb(sub_user_id: SubUserId, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Print all that is kept of a sub user, as JSON: to decide, or to hand it out. It is audited."""

    async def work(house: House) -> dict[str, Any]:
        async with house.database.transaction() as tx:
            return await kyb.export_sub_user(house.kyb_terms, tx, sub_user_id, _decision(actor, reason))

    print(json.dumps(_run(data, work), ensure_ascii=False, indent=2))


@kyb_commands.command("document")
def save_document(
    sub_user_id: SubUserId,
    file_id: Annotated[int, typer.Argument(help="Which of its documents.")],
    path: Annotated[Path, typer.Argument(help="Where to write it; must not exist.")],
    data: Data = None,
) -> None:
    """Write a document of a sub user to a file that only you can read."""

    async def work(house: House) -> bytes:
        async with house.database.transaction() as tx:
            case = await kyb.find_case(house.kyb_terms, tx, sub_user_id)
            known = next((file.file_id for _, file in case.documents if file.file_id == file_id), 0)
            kept = await files.find_kept(house.file_terms, tx, case.sub_user.merchant_id, known)
        return await files.read_content(house.file_terms, house.files, kept)

    content = _run(data, work)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
    say(f"Wrote {len(content)} bytes to {path}.")


@kyb_commands.command("approve")
def approve_kyb(sub_user_id: SubUserId, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Accept a sub user."""
    _decide(sub_user_id, Decision(True, actor or getpass.getuser(), reason), data)


@kyb_commands.command("reject")
def reject_kyb(sub_user_id: SubUserId, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Refuse a sub user; the merchant sees the reason."""
    _decide(sub_user_id, Decision(False, actor or getpass.getuser(), reason), data)


@kyb_commands.command("ask")
def ask_kyb(
    sub_user_id: SubUserId,
    actions: Annotated[list[str], typer.Argument(help="What is asked for; the merchant sees each.")],
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Ask the merchant for more; it answers by sharing again."""

    async def work(house: House) -> SubUser:
        async with house.database.transaction() as tx:
            return await kyb.ask_for_more(tx, sub_user_id, _decision(actor, reason), actions)

    say(f"{sub_user_id} is {_run(data, work).status}.")


@kyb_commands.command("erase")
def erase_kyb(sub_user_id: SubUserId, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Wipe a sub user's details and documents, for good. What the ledger says stays."""

    async def work(house: House) -> SubUser:
        async with house.database.transaction() as tx:
            return await kyb.erase_sub_user(house.kyb_terms, tx, sub_user_id, _decision(actor, reason))

    _run(data, work)
    say(f"{sub_user_id} is erased.")


def _decide(sub_user_id: int, decision: Decision, data: Data) -> None:
    async def work(house: House) -> SubUser:
        async with house.database.transaction() as tx:
            return await kyb.decide_kyb(tx, sub_user_id, decision)

    say(f"{sub_user_id} is {_run(data, work).status}.")


def _decision(actor: str | None, reason: str | None) -> Decision:
    return Decision(True, actor or getpass.getuser(), reason)


def _run(data: Data, work: Callable[[House], Awaitable[Result]]) -> Result:
    configure_logging()
    return in_house(load_settings(data), work)
