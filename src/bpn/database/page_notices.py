"""Word to all processes that what a page shows has changed."""

from __future__ import annotations

from bpn.database.pool import Transaction

PAGE_CHANGED = "bpn_page"
"""The notice; its payload is the page's topic."""


async def tell_page_changed(tx: Transaction, topic: str) -> None:
    """Have every process show the page of this topic anew to those who watch it, once this commits.

    Within one transaction the same topic is told once.
    """
    await tx.connection.execute("SELECT pg_notify(%s, %s)", (PAGE_CHANGED, topic))
