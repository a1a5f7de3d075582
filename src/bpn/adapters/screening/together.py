"""Several sources as one."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.ports.readers import ScreeningReader, ScreeningVerdict


class ScreeningTogether:
    """A hit of any source is a hit; nobody is cleared while one of them is down."""

    def __init__(self, sources: Sequence[ScreeningReader]) -> None:
        self._sources = sources

    async def screen(self, address: str | None, names: Sequence[str]) -> ScreeningVerdict:
        """Look a party up everywhere. Raises SourceUnavailableError unless all others cleared or one hit before."""
        for source in self._sources:
            verdict = await source.screen(address, names)
            if verdict.hit:
                return verdict
        return ScreeningVerdict(hit=False)
