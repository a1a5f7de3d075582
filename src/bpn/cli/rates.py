"""Rates as an operator sees and sets them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from bpn.chapters.fx import operations as fx
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.kernel.errors import InvalidRequest

rate_commands = typer.Typer(help="Look at rates, set one by hand, accept one that jumped.", no_args_is_help=True)
Base = Annotated[str, typer.Argument(help="One unit of this currency …", metavar="BASE")]
Quote = Annotated[str, typer.Argument(help="… is so much in this one.", metavar="QUOTE")]


@rate_commands.command("list")
def list_rates(as_json: Json = False, data: Data = None) -> None:
    """Every rate kept, with what is held."""
    rows = [
        {
            "pair": f"{rate.base}/{rate.quote}",
            "source": rate.source,
            "rate": format(rate.rate, "f"),
            "time": rate.time.isoformat(timespec="seconds"),
            "held": "" if rate.held is None else format(rate.held, "f"),
        }
        for rate in in_transaction(data, lambda _, tx: fx.list_rates(tx))
    ]
    show(rows, as_json=as_json, nothing="No source has said anything yet.")


@rate_commands.command("set")
def set_rate(
    base: Base,
    quote: Quote,
    rate: Annotated[str, typer.Argument(help="A decimal.")],
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Set a rate by hand: it goes before every source until it is unset."""
    decision, value = decision_of(actor, reason), decimal_of(rate, "rate")
    stored = in_transaction(
        data, lambda house, tx: fx.set_rate(house.fx_terms, tx, base.upper(), quote.upper(), value, decision)
    )
    say(f"One {stored.base} is {stored.rate} {stored.quote}.")


@rate_commands.command("unset")
def unset_rate(base: Base, quote: Quote, actor: Actor = None, reason: Why = None, data: Data = None) -> None:
    """Let the sources speak again."""
    decision = decision_of(actor, reason)
    in_transaction(data, lambda _, tx: fx.unset_rate(tx, base.upper(), quote.upper(), decision))
    say(f"{base.upper()}/{quote.upper()} is what its sources say.")


@rate_commands.command("accept")
def accept_rate(
    base: Base,
    quote: Quote,
    source: Annotated[str, typer.Argument(help="Who says so.")],
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Believe a rate that jumped and is held."""
    decision = decision_of(actor, reason)
    stored = in_transaction(
        data, lambda _, tx: fx.accept_rate(tx, base.upper(), quote.upper(), source.upper(), decision)
    )
    say(f"One {stored.base} is {stored.rate} {stored.quote}.")


def decimal_of(text: str, field: str) -> Decimal:
    """A decimal as typed; raises InvalidRequest."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidRequest.of(field, "must be a decimal") from None
