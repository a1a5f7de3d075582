"""How the sandbox chapter is built in."""

from __future__ import annotations

from bpn.api.route import Route, collect
from bpn.chapters.sandbox.model import SandboxTerms
from bpn.chapters.sandbox.routes import SandboxRoutes
from bpn.wiring.house import House
from bpn.wiring.sandbox import sandbox_chains


def sandbox_routes(house: House) -> list[Route]:
    """The chapter over HTTP; nothing where a real rail is configured."""
    chains = sandbox_chains(house)
    levers = None if house.bank is None else house.bank.levers
    if not chains or levers is None:
        return []
    return collect(SandboxRoutes(SandboxTerms(chains, house.wallet_terms, levers, house.account_terms)))
