"""What the sandbox chapter speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bpn.chapters.wallet.model import WalletTerms
from bpn.ports.simulation import SandboxChain


@dataclass(frozen=True, slots=True)
class SandboxTerms:
    """The simulated networks by name, and the terms of the wallets on them."""

    chains: Mapping[str, SandboxChain]
    wallet: WalletTerms


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that goes wrong outside: `chain_reorg` (blocks, keep) or `rpc_down` (seconds)."""

    name: str
    network: str | None
    blocks: int
    keep: bool
    seconds: int


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Business time, and how far it is ahead of wall time."""

    now: datetime
    offset: timedelta
