"""What all commands of controls share: for whom, of what, from when; and how versions are shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from bpn.cli.installation import say
from bpn.controls.model import ALL_MERCHANTS, Operation, Scope, Version
from bpn.controls.rules import words
from bpn.kernel.errors import InvalidRequest

Merchant = Annotated[int | None, typer.Option("--merchant", help="For one merchant; for all when absent.")]
Currency = Annotated[str | None, typer.Option(help="Of one currency; of every one when absent.")]
Network = Annotated[str | None, typer.Option(help="On one network; on every one when absent.")]
From = Annotated[
    datetime | None,
    typer.Option("--from", help="From when on (UTC); at once when absent.", formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"]),
]
Remove = Annotated[bool, typer.Option("--remove", help="Take it back, so that the less specific holds.")]
Which = Annotated[Operation, typer.Argument(help="Of which operation.", case_sensitive=False)]


def scope_of(merchant_id: int | None, currency: str | None, network: str | None) -> Scope:
    """The scope that the options name."""
    return Scope(merchant_id or ALL_MERCHANTS, currency and currency.upper(), network and network.upper())


def time_of(given: datetime | None) -> datetime | None:
    """The time that an option names, in UTC."""
    return None if given is None else given.replace(tzinfo=UTC)


def amount_of(name: str, text: str | None) -> Decimal | None:
    """The decimal that an option names; raises InvalidRequest."""
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        raise InvalidRequest.of(name, "must be a decimal, such as 2.5") from None


def version_row(version: Version) -> Mapping[str, str]:
    """A version as a line of a table."""
    return {
        "kind": version.kind,
        "of": version.name or "every operation",
        "merchant": str(version.scope.merchant_id or "all"),
        "currency": version.scope.currency or "all",
        "network": version.scope.network or "all",
        "value": "removed" if version.value is None else words(version.value),
        "from": version.valid_from.isoformat(timespec="seconds"),
        "by": f"{version.maker}{f' and {version.checker}' if version.checker else ''}",
        "reason": version.reason or "",
        "state": "waits for a second person" if version.proposal else "set",
    }


def say_outcome(version: Version) -> None:
    """Tell whether a change holds, or waits for another person to give the same command."""
    what = f"{version.kind} of {version.name or 'every operation'}, {version.scope}"
    if version.proposal:
        say(f"Proposed: {what}. It holds once another person gives the same command within 7 days.")
    else:
        say(f"Set: {what}, from {version.valid_from.isoformat(timespec='seconds')} on.")
