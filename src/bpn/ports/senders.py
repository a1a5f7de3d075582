"""What we do to the outside world: sign, broadcast, post. Only a chapter's jobs may hold one of these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bpn.ports.readers import GasFees


@dataclass(frozen=True, slots=True)
class ChainTransfer:
    """A transfer to sign: an ERC-20 `transfer`, or, where `contract` is None, of the native coin.

    An EIP-1559 transaction, or a legacy one (EIP-155) where the fees have no priority fee. Gas in units.
    """

    chain_id: int
    nonce: int
    contract: str | None
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

    async def sign(self, key_index: int, transfer: ChainTransfer) -> SignedTransaction:
        """Sign with the key of an index.

        Raises SourceUnavailableError where the keys' holder does not answer, or answers with another key's signature.
        """


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
