"""The levers of the sandbox: what only a simulated outside world lets us pull."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bpn.ports.readers import BankParty, Handle


class SandboxChain(Protocol):
    """A chain of our own, where a mock deposit can be a real transfer."""

    network: str

    async def send_token(self, contract: str, recipient: str, amount: int, sender: str | None = None) -> str:
        """Transfer tokens from the faucet, or from the address `sender` (funded first), to an address.

        Args:
            contract: token contract address.
            recipient: receiving address.
            amount: minor units of the token.
            sender: the address to appear as sender, any; None is the faucet's own.

        Returns:
            The transaction hash, lower-case hex with 0x; it is in the next block.
        """

    async def send_native(self, recipient: str, amount: int) -> str:
        """Send native coin (wei) from the faucet to an address; the transaction hash."""

    async def mine(self, blocks: int) -> None:
        """Mine blocks at once."""

    async def reorganise(self, blocks: int, *, keep: bool) -> None:
        """Replace the newest blocks by a longer branch without their transactions; `keep` lets them be mined again."""

    async def fall_silent(self, seconds: float) -> None:
        """Have the network's node answer nothing for a while."""


@dataclass(frozen=True, slots=True)
class MockPayIn:
    """A payment that somebody out there makes to one of our handles.

    Attributes:
        handle: what is paid.
        currency: ISO 4217; any, also a wrong one.
        amount: exact decimal.
        payer: who pays.
        remittance: what the payer writes.
        delay_seconds: of business time until the bank tells it.
        times: how often the bank tells it, each time with the same reference.
        after_next: told only after the next pay-in that is made (out of order), or a minute later.
    """

    handle: Handle
    currency: str
    amount: str
    payer: BankParty
    remittance: str | None = None
    delay_seconds: int = 0
    times: int = 1
    after_next: bool = False


class SandboxBank(Protocol):
    """A bank of our own, with levers.

    Without a lever an amount decides: a payout of `….66` is REJECTED (`AC04`), one of `….67` is SETTLED and then
    RETURNED (`AC06`). All delays are of business time.
    """

    source: str

    async def pay_in(self, payments: Sequence[MockPayIn]) -> list[str]:
        """Have payments made; the references they will be told with, in order."""

    async def reverse_pay_in(self, reference: str) -> None:
        """Take a pay-in back (a recall); unknown references do nothing."""

    async def fail_next_payout(self, reason_code: str = "AC04") -> None:
        """Reject the next payment that is handed over."""

    async def return_next_payout(self, reason_code: str = "AC06") -> None:
        """Settle the next payment that is handed over, then send it back."""

    async def be_slow(self, seconds: int) -> None:
        """Tell what happens from now on so much later; zero ends it."""

    async def repeat_next(self, times: int = 2) -> None:
        """Tell the next pay-in, or each report on the next payment, so often."""

    async def reverse_next_payout(self) -> None:
        """Tell all that happens to the next payment in the wrong order: the last first."""

    async def fail_next_opening(self, reason: str = "The bank does not take this customer.") -> None:
        """Refuse the next account that is asked for."""

    async def fall_silent(self, seconds: float) -> None:
        """Answer nothing for a while of wall time."""
