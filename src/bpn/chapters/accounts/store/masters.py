"""SQL of master accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpn.chapters.accounts.model import MasterAccount
from bpn.database.pool import Transaction
from bpn.database.rows import integers, texts
from bpn.kernel.assets import FIAT_SCALES, Asset


async def insert(tx: Transaction, accounts: Sequence[MasterAccount]) -> None:
    """Add master accounts; those of a currency that the merchant has one of stay as they are."""
    await tx.connection.execute(
        """
        INSERT INTO master_accounts (created_at, merchant_id, account_id, currency)
        SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) ON CONFLICT DO NOTHING
        """,
        (
            tx.now,
            integers([account.merchant_id for account in accounts]),
            integers([account.account_id for account in accounts]),
            texts([account.asset.currency for account in accounts]),
        ),
    )


async def of_merchant(tx: Transaction, merchant_id: int) -> list[MasterAccount]:
    """All master accounts of a merchant, newest first; a few at most, one per currency."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, account_id, currency, created_at FROM master_accounts
        WHERE merchant_id = %s ORDER BY account_id DESC
        """,
        (merchant_id,),
    )
    return [_account(row) for row in await cursor.fetchall()]


async def find_many(tx: Transaction, keys: Sequence[tuple[int, Asset]]) -> dict[tuple[int, str], MasterAccount]:
    """Master accounts by merchant and currency."""
    cursor = await tx.connection.execute(
        """
        SELECT m.merchant_id, m.account_id, m.currency, m.created_at
        FROM (SELECT DISTINCT * FROM unnest(%s::bigint[], %s::text[])) g(merchant_id, currency)
        JOIN master_accounts m USING (merchant_id, currency)
        """,
        (integers([key[0] for key in keys]), texts([key[1].currency for key in keys])),
    )
    found = [_account(row) for row in await cursor.fetchall()]
    return {(account.merchant_id, account.asset.currency): account for account in found}


async def find(tx: Transaction, merchant_id: int, account_id: int) -> MasterAccount | None:
    """A master account of a merchant, by its id."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, account_id, currency, created_at FROM master_accounts
        WHERE merchant_id = %s AND account_id = %s
        """,
        (merchant_id, account_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _account(row)


def _account(row: Sequence[Any]) -> MasterAccount:
    merchant_id, account_id, currency, created_at = row
    return MasterAccount(merchant_id, account_id, Asset(currency, None, FIAT_SCALES[currency]), created_at)
