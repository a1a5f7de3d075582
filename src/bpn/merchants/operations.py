"""Make, find and change merchants and keys."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network

from bpn.database.pool import Transaction
from bpn.kernel.encryption import Cipher
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.message_signature import read_public_key
from bpn.merchants import store
from bpn.merchants.errors import ApiKeyNotFound, MerchantNotFound
from bpn.merchants.model import ApiKey, Credential, Merchant, NewApiKey, Permission

CREDENTIALS_CHANGED = store.CREDENTIALS_CHANGED
_LONGEST_NAME = 128


async def create_merchant(tx: Transaction, name: str) -> Merchant:
    """Add a merchant.

    Raises:
        InvalidRequest: the name is empty or longer than 128 characters.
    """
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidRequest.of("name", f"must have 1 to {_LONGEST_NAME} characters")
    merchant = Merchant(tx.ids.next(), name, suspended=False, created_at=tx.now)
    await store.insert_merchant(tx, merchant)
    return merchant


async def list_merchants(tx: Transaction) -> list[Merchant]:
    """All merchants, newest first."""
    return await store.list_merchants(tx)


async def suspend_merchant(tx: Transaction, merchant_id: int, *, suspended: bool) -> None:
    """Refuse all requests of a merchant from now on, or accept them again.

    Raises:
        MerchantNotFound: there is none of this id.
    """
    if await store.lock_merchant(tx, merchant_id) is None:
        raise MerchantNotFound(f"There is no merchant {merchant_id}.")
    await store.set_suspended(tx, merchant_id, suspended=suspended)
    await store.notify_credentials_changed(tx)


async def create_api_key(
    tx: Transaction,
    cipher: Cipher,
    merchant_id: int,
    permissions: Collection[Permission] = tuple(Permission),
    allowed_ips: Sequence[str] = (),
    ed25519_public_key: str | None = None,
) -> NewApiKey:
    """Make a key with a secret of 256 random bits.

    Args:
        tx: the transaction.
        cipher: seals the secret at rest.
        merchant_id: whose key it is.
        permissions: what it may do; all by default.
        allowed_ips: networks in CIDR notation it may be used from; everywhere when empty.
        ed25519_public_key: PEM or hex; requests are then signed with its private half only, and the secret signs
            nothing but webhooks.

    Raises:
        MerchantNotFound: there is no such merchant.
        InvalidRequest: a network is not in CIDR notation, or the public key is none.
    """
    if await store.lock_merchant(tx, merchant_id) is None:
        raise MerchantNotFound(f"There is no merchant {merchant_id}.")
    for network in allowed_ips:
        try:
            ip_network(network)
        except ValueError:
            raise InvalidRequest.of("allowedIps", f"holds {network!r}, not a network such as 203.0.113.0/24") from None
    try:
        public_key = None if ed25519_public_key is None else read_public_key(ed25519_public_key)
    except ValueError:
        raise InvalidRequest.of("ed25519PublicKey", "is not an ed25519 public key as PEM or 64 hex digits") from None
    key = NewApiKey(
        tx.ids.next(), f"bpn_{secrets.token_hex(16)}", _new_secret(), tuple(sorted(set(permissions))), public_key
    )
    await store.insert_key(tx, cipher, merchant_id, key, allowed_ips)
    return key


def _new_secret() -> str:
    return secrets.token_hex(32)


async def rotate_api_key(tx: Transaction, cipher: Cipher, api_key: str, overlap: timedelta) -> NewApiKey:
    """Give a key a new secret; the one before it stays as good until the overlap is over, one before that ends now.

    Raises:
        ApiKeyNotFound: no such key, or it is revoked.
    """
    before = await store.lock_key(tx, cipher, api_key)
    if before is None:
        raise ApiKeyNotFound("There is no such API key, or it is revoked already.")
    secret = _new_secret()
    await store.set_secret(tx, cipher, before, secret, tx.clock.wall() + overlap)
    await store.notify_credentials_changed(tx)
    return NewApiKey(before.key_id, api_key, secret, tuple(sorted(before.permissions)), before.public_key)


async def revoke_api_key(tx: Transaction, api_key: str) -> int:
    """Revoke a key; every process refuses it as soon as this commits. Returns its merchant.

    Raises:
        ApiKeyNotFound: no such key, or revoked before.
    """
    merchant_id = await store.revoke_key(tx, api_key)
    if merchant_id is None:
        raise ApiKeyNotFound("There is no such API key, or it is revoked already.")
    await store.notify_credentials_changed(tx)
    return merchant_id


async def list_api_keys(tx: Transaction, merchant_id: int) -> list[ApiKey]:
    """All keys of a merchant, oldest first, the revoked ones too."""
    return await store.list_keys(tx, merchant_id)


async def find_credential(tx: Transaction, cipher: Cipher, api_key: str) -> Credential | None:
    """The living key of this name with its merchant, None when unknown or revoked."""
    return await store.find_credential(tx, cipher, api_key)


async def oldest_credentials(
    tx: Transaction, cipher: Cipher, merchant_ids: Collection[int]
) -> Mapping[int, Credential]:
    """By merchant, the oldest living key: the default signer of webhooks."""
    return await store.oldest_credentials(tx, cipher, merchant_ids)


async def note_uses(tx: Transaction, uses: Mapping[tuple[int, int], datetime]) -> None:
    """Remember when keys were last used, by merchant and key id."""
    if uses:
        await store.note_uses(tx, uses)
