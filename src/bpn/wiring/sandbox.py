"""The sandbox's chains: which there are, and how their levers are reached."""

from __future__ import annotations

from bpn.adapters.chain.sandbox.client import SandboxChainClient
from bpn.ports.simulation import SandboxChain
from bpn.wiring.house import House


def sandbox_chains(house: House) -> dict[str, SandboxChain]:
    """The simulated networks; none where a real rail is configured."""
    settings = house.settings
    if house.chain_url is None or not settings.sandbox or len(settings.simulated_chains) < len(settings.chains):
        return {}
    return {name: SandboxChainClient(name, f"{house.chain_url}/{name}") for name in settings.simulated_chains}
