"""Sanction lists from a directory, read anew whenever a file of it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from bpn.adapters.screening.files import UnreadableListError, list_files, read_lists
from bpn.adapters.screening.names import NameIndex
from bpn.ports.readers import ScreeningVerdict, SourceUnavailableError

log = structlog.get_logger(__name__)
_State = tuple[tuple[str, int, int], ...]
"""Name, size and time of change of each file."""


class ListedParties:
    """Hits a listed address, or a name that is like a listed one.

    A directory that is missing, empty or half written is a source that is down: nobody is cleared by it.
    """

    def __init__(self, directory: Path, threshold: int) -> None:
        self._directory = directory
        self._threshold = threshold
        self._state: _State | None = None
        self._addresses: dict[str, str] = {}
        self._index = NameIndex([])
        self._lock = asyncio.Lock()

    async def screen(self, address: str | None, names: Sequence[str]) -> ScreeningVerdict:
        """Look a party up. Raises SourceUnavailableError when the lists cannot be read."""
        async with self._lock:
            await asyncio.to_thread(self._refresh)
        return await asyncio.to_thread(self._look_up, address, names)

    def _refresh(self) -> None:
        try:
            paths = list_files(self._directory)
            stats = [path.stat() for path in paths]
            state = tuple((p.name, s.st_size, s.st_mtime_ns) for p, s in zip(paths, stats, strict=True))
            if state == self._state:
                return
            if not paths:
                raise SourceUnavailableError(f"{self._directory.name} holds no list")
            listed = read_lists(paths)
        except (OSError, UnreadableListError) as error:
            raise SourceUnavailableError(f"sanction lists: {error}") from error
        self._addresses, self._index = listed.addresses, NameIndex(listed.names)
        self._state = state
        log.info("screening.lists_read", names=len(listed.names), addresses=len(listed.addresses))

    def _look_up(self, address: str | None, names: Sequence[str]) -> ScreeningVerdict:
        if address is not None and (entry := self._addresses.get(address.lower())):
            return ScreeningVerdict(hit=True, reason=f"The address is listed: {entry}.")
        for name in names:
            if found := self._index.find(name, self._threshold):
                listed, likeness = found
                return ScreeningVerdict(
                    hit=True, reason=f"The name is like {listed.name} ({listed.entry}), {likeness} of 100."
                )
        return ScreeningVerdict(hit=False)
