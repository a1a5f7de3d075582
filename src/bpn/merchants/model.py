"""Merchants, keys and permissions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network


class Permission(StrEnum):
    """What a key may do. Each operation asks for exactly one."""

    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant of this installation."""

    merchant_id: int
    name: str
    suspended: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """A living API key with all that the door needs to decide on a request signed with it.

    Attributes:
        secret: signs requests, and the webhooks that name this key.
        previous_secret: the one before the last rotation, as good as the other until `previous_until`.
        public_key: the raw ed25519 key; with one, requests are signed with its private half only.
    """

    merchant: Merchant
    key_id: int
    api_key: str
    secret: bytes
    permissions: frozenset[Permission]
    allowed_ips: tuple[IPv4Network | IPv6Network, ...]
    previous_secret: bytes | None = None
    previous_until: datetime | None = None
    public_key: bytes | None = None

    def secrets(self, now: datetime) -> tuple[bytes, ...]:
        """The secrets that sign at this moment, the newest first."""
        if self.previous_secret is None or self.previous_until is None or self.previous_until <= now:
            return (self.secret,)
        return (self.secret, self.previous_secret)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made; its secret is never shown again."""

    key_id: int
    api_key: str
    secret: str
    permissions: tuple[Permission, ...]
    public_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as operators see it."""

    key_id: int
    api_key: str
    permissions: tuple[Permission, ...]
    allowed_ips: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    signs_with_ed25519: bool
    previous_secret_until: datetime | None
