"""The levers of the sandbox: what only a simulated outside world lets us pull."""

from __future__ import annotations

from typing import Protocol


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
