"""The API server: every route, the document, readiness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import psycopg

from bpn.api.door import Application, Door, DoorTerms
from bpn.api.openapi import document
from bpn.api.route import Route
from bpn.api.surroundings import surroundings
from bpn.chapters.wallet import operations as wallet
from bpn.database.revisions import newest_revision
from bpn.jobs.relay import NAME as RELAY
from bpn.outbox import operations as outbox
from bpn.wiring.chapters.catalogue import pages, routes
from bpn.wiring.events.catalogue import event_descriptions
from bpn.wiring.house import House

USES_SAVED_EVERY_SECONDS = 10.0
LARGEST_LAG = timedelta(seconds=60)
"""A head or a fact older than this turns readiness red."""


def api_application(house: House) -> Application:
    """The ASGI application that a server process runs."""
    listed = routes(house)
    described = described_api(listed, house.settings.base_url)
    return Door(
        listed,
        database=house.database,
        cipher=house.cipher,
        credentials=house.credentials,
        clock=house.clock,
        terms=DoorTerms(
            house.settings.signature_window_seconds,
            house.settings.rate_limit,
            None if house.settings.public_url is None else house.settings.base_url,
        ),
        after_commit=lambda: house.jobs.nudge(RELAY),
        beyond=surroundings(described, lambda: readiness(house), pages(house)),
    )


def described_api(listed: Sequence[Route], base_url: str) -> dict[str, Any]:
    """The OpenAPI document of these routes and of all events."""
    return document(listed, event_descriptions(), version=version("bpn"), base_url=base_url)


async def readiness(house: House) -> Mapping[str, str | None]:
    """What must be well for this installation to serve: database, migrations, head lag, relay lag."""
    try:
        async with house.database.reading() as tx:
            cursor = await tx.connection.execute("SELECT version_num FROM alembic_version")
            revisions = [row[0] for row in await cursor.fetchall()]
            faults = await wallet.reading_faults(house.wallet_terms, tx, LARGEST_LAG)
            waiting_since = await outbox.oldest_unrelayed(tx)
    except psycopg.Error as error:
        return {"database": type(error).__name__}
    behind = timedelta(0) if waiting_since is None else house.clock.wall() - waiting_since
    checks = {
        "database": None,
        "migrations": None if revisions == [newest_revision()] else "the database is not migrated",
        "notices": None if house.notices.connected else "not listening",
        "relay": None if behind < LARGEST_LAG else f"facts wait since {behind.total_seconds():.0f} s",
    }
    return checks | {f"chain {name}": fault for name, fault in faults.items()}
