"""SQL of virtual accounts and the numbers by which pay-ins name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from bpn.chapters.accounts.model import (
    AccountFilter,
    AccountStatus,
    CustomerType,
    Profile,
    SubType,
    VirtualAccount,
)
from bpn.database.pool import Transaction
from bpn.database.rows import texts
from bpn.kernel.assets import FIAT_SCALES, Asset
from bpn.kernel.encryption import Cipher
from bpn.kernel.money import Money
from bpn.ports.readers import AccountNumbers, Handle

COLUMNS = """
    a.merchant_id, a.account_id, a.primary_account_id, a.currency, a.country, a.rail, a.sub_type, a.status,
    a.fail_reason, a.sub_user_id, a.customer_type, a.pix_key_type, a.amount::text, a.expires_at, a.token, a.earmark,
    a.restricted_until, a.created_at, a.updated_at, a.sealed_details
"""
"""What `account_of` reads, of `virtual_accounts a`."""

_PROFILES = TypeAdapter(Profile)
_NUMBERS = TypeAdapter(AccountNumbers)


def account_of(cipher: Cipher, row: Sequence[Any]) -> VirtualAccount:
    """A row of `COLUMNS`."""
    asset = Asset(row[3], None, FIAT_SCALES[row[3]])
    account_id = row[1]
    return VirtualAccount(
        merchant_id=row[0],
        account_id=account_id,
        primary_account_id=row[2],
        asset=asset,
        country=row[4],
        rail=row[5],
        sub_type=SubType(row[6]),
        status=AccountStatus(row[7]),
        fail_reason=row[8],
        sub_user_id=row[9],
        customer_type=None if row[10] is None else CustomerType(row[10]),
        pix_key_type=row[11],
        amount=None if row[12] is None else Money(int(row[12]), asset),
        expires_at=row[13],
        token=row[14],
        earmark=row[15],
        restricted_until=row[16],
        created_at=row[17],
        updated_at=row[18],
        numbers=None if row[19] is None else _NUMBERS.validate_json(cipher.open(bytes(row[19]), _details(account_id))),
    )


def _details(account_id: int) -> str:
    return f"virtual_accounts/details/{account_id}"


def _profile(account_id: int) -> str:
    return f"virtual_accounts/profile/{account_id}"


async def insert(tx: Transaction, cipher: Cipher, account: VirtualAccount, profile: Profile) -> None:
    """Add an account, and make its token known in the directory."""
    await tx.connection.execute(
        "INSERT INTO directory (kind, value, merchant_id) VALUES ('virtual_account_token', %s, %s)",
        (account.token, account.merchant_id),
    )
    await tx.connection.execute(
        """
        INSERT INTO virtual_accounts (merchant_id, account_id, primary_account_id, currency, country, rail, sub_type,
            status, sub_user_id, customer_type, pix_key_type, amount, expires_at, token, earmark, sealed_profile,
            created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            account.merchant_id,
            account.account_id,
            account.primary_account_id,
            account.asset.currency,
            account.country,
            account.rail,
            account.sub_type,
            account.status,
            account.sub_user_id,
            account.customer_type,
            account.pix_key_type,
            None if account.amount is None else account.amount.minor,
            account.expires_at,
            account.token,
            account.earmark,
            cipher.seal(_PROFILES.dump_json(profile), _profile(account.account_id)),
            account.created_at,
            account.updated_at,
        ),
    )


async def profile_of(tx: Transaction, cipher: Cipher, account: VirtualAccount) -> Profile:
    """Whom an account is for, opened."""
    cursor = await tx.connection.execute(
        "SELECT sealed_profile FROM virtual_accounts WHERE merchant_id = %s AND account_id = %s",
        (account.merchant_id, account.account_id),
    )
    (row,) = await cursor.fetchall()
    return _PROFILES.validate_json(cipher.open(bytes(row[0]), _profile(account.account_id)))


async def save(tx: Transaction, account: VirtualAccount, *, closing: bool = False) -> None:
    """Write what may change of an account but its numbers; `closing`: the bank has to be told. The row is held."""
    await tx.connection.execute(
        """
        UPDATE virtual_accounts SET status = %s, fail_reason = %s, restricted_until = %s, updated_at = %s,
            closing = closing OR %s
        WHERE merchant_id = %s AND account_id = %s
        """,
        (
            account.status,
            account.fail_reason,
            account.restricted_until,
            account.updated_at,
            closing,
            account.merchant_id,
            account.account_id,
        ),
    )


async def set_numbers(tx: Transaction, cipher: Cipher, account: VirtualAccount, numbers: AccountNumbers) -> bool:
    """Keep the numbers that the bank gave, sealed; false when another account has one of them."""
    kinds = [handle.kind.value for handle in numbers.handles]
    values = [handle_value(cipher, handle) for handle in numbers.handles]
    cursor = await tx.connection.execute(
        """
        INSERT INTO directory (kind, value, merchant_id) SELECT *, %s FROM unnest(%s::text[], %s::text[])
        ON CONFLICT DO NOTHING
        """,
        (account.merchant_id, texts(kinds), texts(values)),
    )
    if cursor.rowcount < len(set(zip(kinds, values, strict=True))):
        return False
    await tx.connection.execute(
        """
        INSERT INTO virtual_account_handles (merchant_id, account_id, kind, value)
        SELECT %s, %s, * FROM unnest(%s::text[], %s::text[])
        """,
        (account.merchant_id, account.account_id, texts(kinds), texts(values)),
    )
    await tx.connection.execute(
        "UPDATE virtual_accounts SET sealed_details = %s WHERE merchant_id = %s AND account_id = %s",
        (
            cipher.seal(_NUMBERS.dump_json(numbers), _details(account.account_id)),
            account.merchant_id,
            account.account_id,
        ),
    )
    return True


def handle_value(cipher: Cipher, handle: Handle) -> str:
    """How a number stands in the directory: some (tax numbers, telephones) are personal data."""
    return cipher.digest(handle.value.encode(), f"handle/{handle.kind.value}").hex()


async def find_by_handles(
    tx: Transaction, cipher: Cipher, handles: Sequence[Handle]
) -> Mapping[Handle, VirtualAccount]:
    """The accounts that these numbers name."""
    values = {(handle.kind.value, handle_value(cipher, handle)): handle for handle in handles}
    cursor = await tx.connection.execute(
        f"""
        SELECT h.kind, h.value, {COLUMNS}
        FROM unnest(%s::text[], %s::text[]) g(kind, value)
        JOIN directory d ON d.kind = g.kind AND d.value = g.value
        JOIN virtual_account_handles h ON h.merchant_id = d.merchant_id AND h.kind = d.kind AND h.value = d.value
        JOIN virtual_accounts a ON a.merchant_id = h.merchant_id AND a.account_id = h.account_id
        """,
        (texts([key[0] for key in values]), texts([key[1] for key in values])),
    )
    known: dict[tuple[int, int], VirtualAccount] = {}
    found = {}
    for kind, value, *row in await cursor.fetchall():
        place = (row[0], row[1])
        known[place] = known.get(place) or account_of(cipher, row)
        found[values[kind, value]] = known[place]
    return found


async def find(tx: Transaction, cipher: Cipher, merchant_id: int, account_id: int) -> VirtualAccount | None:
    """An account of a merchant."""
    cursor = await tx.connection.execute(
        f"SELECT {COLUMNS} FROM virtual_accounts a WHERE a.merchant_id = %s AND a.account_id = %s",
        (merchant_id, account_id),
    )
    row = await cursor.fetchone()
    return None if row is None else account_of(cipher, row)


async def lock(tx: Transaction, cipher: Cipher, merchant_id: int, account_id: int) -> VirtualAccount | None:
    """An account of a merchant, held until this transaction ends."""
    cursor = await tx.connection.execute(
        f"SELECT {COLUMNS} FROM virtual_accounts a WHERE a.merchant_id = %s AND a.account_id = %s FOR UPDATE",
        (merchant_id, account_id),
    )
    row = await cursor.fetchone()
    return None if row is None else account_of(cipher, row)


async def find_by_token(tx: Transaction, cipher: Cipher, token: str) -> VirtualAccount | None:
    """The account that a public URL names."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM directory d JOIN virtual_accounts a ON a.merchant_id = d.merchant_id AND a.token = d.value
        WHERE d.kind = 'virtual_account_token' AND d.value = %s
        """,
        (token,),
    )
    row = await cursor.fetchone()
    return None if row is None else account_of(cipher, row)


async def opening(tx: Transaction, cipher: Cipher, after: int, limit: int) -> list[VirtualAccount]:
    """Accounts that the bank has still to open, oldest first."""
    return await _due(tx, cipher, "a.status = 'INIT'", after, limit)


async def closing(tx: Transaction, cipher: Cipher, after: int, limit: int) -> list[VirtualAccount]:
    """Accounts whose bank has still to be told that they are closed."""
    return await _due(tx, cipher, "a.closing", after, limit)


async def _due(tx: Transaction, cipher: Cipher, condition: str, after: int, limit: int) -> list[VirtualAccount]:
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM virtual_accounts a WHERE {condition} AND a.account_id > %s ORDER BY a.account_id LIMIT %s
        """,
        (after, limit),
    )
    return [account_of(cipher, row) for row in await cursor.fetchall()]


async def set_closed(tx: Transaction, account: VirtualAccount) -> None:
    """Note that the bank knows that an account is closed."""
    await tx.connection.execute(
        "UPDATE virtual_accounts SET closing = false WHERE merchant_id = %s AND account_id = %s",
        (account.merchant_id, account.account_id),
    )


async def page(
    tx: Transaction,
    cipher: Cipher,
    merchant_id: int,
    filters: AccountFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[VirtualAccount]]:
    """How many accounts match, and a page of them, newest first."""
    where = " AND ".join(["a.merchant_id = %(merchant_id)s", *(sql for sql, given in _conditions(filters) if given)])
    parameters = {
        "merchant_id": merchant_id,
        "account_id": filters.account_id,
        "sub_user_id": filters.sub_user_id,
        "currency": filters.currency,
        "status": filters.status,
        "start": filters.start,
        "end": filters.end,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM virtual_accounts a WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND a.account_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM virtual_accounts a WHERE {where}{keyset}
        ORDER BY a.account_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [account_of(cipher, row) for row in await cursor.fetchall()]


def _conditions(filters: AccountFilter) -> list[tuple[str, bool]]:
    return [
        ("a.account_id = %(account_id)s", filters.account_id is not None),
        ("a.sub_user_id = %(sub_user_id)s", filters.sub_user_id is not None),
        ("a.currency = %(currency)s", filters.currency is not None),
        ("a.status = %(status)s", filters.status is not None),
        ("a.created_at >= %(start)s", filters.start is not None),
        ("a.created_at < %(end)s", filters.end is not None),
    ]
