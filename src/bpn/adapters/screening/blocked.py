"""A plain list of blocked addresses and names, from the settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bpn.ports.readers import ScreeningVerdict


class BlockedParties:
    """Hits an address of the list, or a name of it in any case and spacing."""

    def __init__(self, addresses: Iterable[str], names: Iterable[str]) -> None:
        self._addresses = {address.lower() for address in addresses}
        self._names = {_normal(name) for name in names}

    async def screen(self, address: str | None, names: Sequence[str]) -> ScreeningVerdict:
        """Look a party up; never unavailable."""
        if address is not None and address.lower() in self._addresses:
            return ScreeningVerdict(hit=True, reason=f"The address {address} is blocked.")
        for name in names:
            if _normal(name) in self._names:
                return ScreeningVerdict(hit=True, reason="The sender's name is blocked.")
        return ScreeningVerdict(hit=False)


def _normal(name: str) -> str:
    return " ".join(name.casefold().split())
