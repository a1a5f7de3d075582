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
    """A living API key with all that the door needs to decide on a request signed with it."""

    merchant: Merchant
    key_id: int
    api_key: str
    secret: bytes
    permissions: frozenset[Permission]
    allowed_ips: tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made; its secret is never shown again."""

    key_id: int
    api_key: str
    secret: str
    permissions: tuple[Permission, ...]


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
