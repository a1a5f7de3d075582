"""Living API keys, kept in memory while this process is sure to hear of every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from bpn.database.pool import Database
from bpn.kernel.encryption import Cipher
from bpn.merchants import operations as merchants
from bpn.merchants.model import Credential

_LARGEST_CACHE = 100_000


class Credentials:
    """Finds the credential of an API key, and notes when it was used."""

    def __init__(self, database: Database, cipher: Cipher, hears_changes: Callable[[], bool]) -> None:
        self._database = database
        self._cipher = cipher
        self._hears_changes = hears_changes
        self._known: dict[str, Credential] = {}
        self._generation = 0
        self._uses: dict[tuple[int, int], datetime] = {}

    async def find(self, api_key: str) -> Credential | None:
        """The living key of this name; what a committed change made of it, never older."""
        if self._hears_changes() and (known := self._known.get(api_key)):
            return known
        generation = self._generation
        async with self._database.reading() as tx:
            credential = await merchants.find_credential(tx, self._cipher, api_key)
        # A change that was announced while we read may not be in what we read: do not keep it.
        if credential is not None and generation == self._generation and len(self._known) < _LARGEST_CACHE:
            self._known[api_key] = credential
        return credential

    def note_use(self, credential: Credential, time: datetime) -> None:
        """Remember a use; `save_uses` writes it."""
        self._uses[credential.merchant.merchant_id, credential.key_id] = time

    async def forget(self, _payload: str) -> None:
        """Handle the notice that keys or merchants changed."""
        self._generation += 1
        self._known.clear()

    async def save_uses_every(self, seconds: float) -> None:
        """Write the uses noted so far, again and again, until cancelled; then once more."""
        try:
            while True:
                await asyncio.sleep(seconds)
                await self._save_uses()
        finally:
            await self._save_uses()

    async def _save_uses(self) -> None:
        uses, self._uses = self._uses, {}
        if uses:
            async with self._database.transaction() as tx:
                await merchants.note_uses(tx, uses)
