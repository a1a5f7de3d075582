"""Look at what became of a webhook."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from bpn.chapters.webhooks import operations as webhooks
from bpn.chapters.webhooks.model import EventTries
from bpn.cli.installation import configure_logging, in_house, load_settings, say
from bpn.cli.rows import Json, show_rows
from bpn.cli.servers import Data
from bpn.wiring.house import House

webhook_commands = typer.Typer(help="Look at webhooks.", no_args_is_help=True)


@webhook_commands.command("tries")
def tries(
    event_id: Annotated[UUID, typer.Argument(help="The eventId.")], as_json: Json = False, data: Data = None
) -> None:
    """Every try to deliver an event: when, what came back (its first KiB), how long it took, when the next follows."""
    configure_logging()

    async def read(house: House) -> EventTries:
        async with house.database.reading() as tx:
            return await webhooks.list_tries(tx, event_id)

    found = in_house(load_settings(data), read)
    rows = [
        {
            "endpoint": str(delivery.endpoint_id),
            "try": one.number,
            "time": one.attempted_at.isoformat(timespec="seconds"),
            "httpStatus": one.http_status,
            "milliseconds": one.latency_milliseconds,
            "error": one.error,
            "answer": one.answer.decode(errors="replace"),
        }
        for delivery in found.deliveries
        for one in delivery.tries
    ]
    event = found.event
    say(f"{event.event_type} of merchant {event.merchant_id}, about {event.reference_id}, {event.status or ''}")
    for delivery in found.deliveries:
        due = f", due {delivery.due_at.isoformat(timespec='seconds')}" if delivery.state == "PENDING" else ""
        say(f"endpoint {delivery.endpoint_id}: {delivery.state}{due}")
    show_rows(rows, as_json=as_json, empty="It was not tried yet.")
