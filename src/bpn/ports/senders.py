"""What we do to the outside world: sign, broadcast, post. Only a chapter's jobs may hold one of these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bpn.ports.readers import GasFees


@dataclass(frozen=True, slots=True)
class TokenTransfer:
    """An ERC-20 `transfer` to sign, an EIP-1559 transaction. Gas in units, fees in wei per gas."""

    chain_id: int
    nonce: int
    contract: str
    recipient: str
    amount: int
    gas_limit: int
    fees: GasFees


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes to broadcast and the hash the chain will know them by (lower-case hex with 0x)."""

    raw: bytes
    hash: str


class Signer(Protocol):
    """Holds the keys; asked by derivation index, never shows a key."""

    async def sign(self, key_index: int, transfer: TokenTransfer) -> SignedTransaction:
        """Sign with the key of an index. The same transfer always gives the same bytes (RFC 6979)."""


class BroadcastOutcome(Enum):
    """What a node said to a transaction; only a receipt says what became of it."""

    ACCEPTED = "accepted"
    ALREADY_KNOWN = "already_known"
    NONCE_TOO_LOW = "nonce_too_low"
    INSUFFICIENT_GAS_FUNDS = "insufficient_gas_funds"
    UNDERPRICED = "underpriced"
    REFUSED = "refused"


class TransactionSender(Protocol):
    """Hands signed transactions to one network."""

    network: str

    async def broadcast(self, raw: bytes) -> BroadcastOutcome:
        """Send; sending the same bytes again is harmless. Raises SourceUnavailableError when no node answers."""


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """What a receiver answered. `status` is None when none came; `error` says why then."""

    status: int | None
    body: bytes
    error: str | None
    retry_after_seconds: int | None
    latency_milliseconds: int


class WebhookPoster(Protocol):
    """Posts a webhook to a merchant's URL."""

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> PostAnswer:
        """Post once, follow no redirect, give up after the adapter's timeout. Never raises for a bad receiver."""
