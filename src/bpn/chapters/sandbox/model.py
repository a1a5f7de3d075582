"""What the sandbox chapter speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bpn.chapters.accounts.model import AccountTerms
from bpn.chapters.wallet.model import WalletTerms
from bpn.kernel.money import Money
from bpn.ports.readers import BankParty
from bpn.ports.simulation import SandboxBank, SandboxChain


@dataclass(frozen=True, slots=True)
class SandboxTerms:
    """The simulated networks by name and the simulated bank, and the terms of the chapters that they serve."""

    chains: Mapping[str, SandboxChain]
    wallet: WalletTerms
    bank: SandboxBank
    accounts: AccountTerms


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


@dataclass(frozen=True, slots=True)
class PayInToMake:
    """A payment that somebody makes to a virtual account of a merchant, told `delay_seconds` of business time later."""

    merchant_id: int
    account_id: int
    amount: Money
    payer: BankParty
    remittance: str | None
    delay_seconds: int
