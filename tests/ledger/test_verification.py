"""`verify` proves a sound ledger sound, and names the first row of any tampering."""

from __future__ import annotations

import psycopg
import pytest

from bpn.database.pool import Database
from bpn.ledger import operations as ledger
from bpn.ledger.model import Verification
from ledger_books import money_in, transfer, wallet


async def verify(database: Database) -> Verification:
    async with database.transaction(snapshot=True) as tx:
        return await ledger.verify(tx)


async def some_history(database: Database) -> None:
    for number in range(1, 6):
        await money_in(database, wallet(number), 100)
    async with database.transaction() as tx:
        await ledger.post(tx, [(transfer(n, wallet(n), wallet(9), 10),) for n in range(1, 6)])
    async with database.transaction() as tx:
        await ledger.seal(tx)


async def test_a_sound_ledger(database: Database) -> None:
    await some_history(database)
    found = await verify(database)
    assert found.findings == ()
    assert (found.transfers, found.unsealed_batches) == (10, 0)
    assert found.seals == 6


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger_transfers SET amount = amount + 1 WHERE transfer_id = 3",
        "UPDATE ledger_transfers SET code = 'gift' WHERE transfer_id = 3",
        "DELETE FROM ledger_transfers WHERE transfer_id = 3",
        "UPDATE ledger_accounts SET posted = posted + 1 WHERE name = 'wallet/2'",
        "UPDATE ledger_entries SET posted_after = posted_after + 1 WHERE version = 1",
        "DELETE FROM ledger_entries WHERE version = 2",
        "UPDATE ledger_batches SET digest = '\\x00'",
        "DELETE FROM ledger_seals WHERE number = 2",
        "UPDATE ledger_seals SET hash = '\\x00' WHERE number = 2",
    ],
)
async def test_tampering_is_found(database: Database, database_url: str, tampering: str) -> None:
    await some_history(database)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET session_replication_role = replica")  # silences the triggers that forbid it
        changed = connection.execute(tampering)  # type: ignore[arg-type]
        assert changed.rowcount > 0
    found = await verify(database)
    assert found.findings
    assert all(finding.what and finding.where for finding in found.findings)


@pytest.mark.parametrize("table", ["ledger_transfers", "ledger_entries", "ledger_batches", "ledger_seals"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET merchant_id = 2", "TRUNCATE {} CASCADE"])
async def test_the_journal_only_grows(database: Database, table: str, change: str) -> None:
    await some_history(database)
    with pytest.raises(psycopg.Error):
        async with database.transaction() as tx:
            await tx.connection.execute(change.format(table))  # type: ignore[arg-type]


async def test_even_its_owner_may_not_change_the_journal(database: Database, database_url: str) -> None:
    await some_history(database)
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.Error):
        connection.execute("UPDATE ledger_transfers SET amount = 1")
