"""No column of sealed bytes is forgotten when the master key changes."""

from __future__ import annotations

import psycopg

from bpn.wiring.sealed_columns import SEALED_COLUMNS

NOT_SEALED = {
    "ledger_transfers.digest": "a digest",
    "ledger_seals.hash": "a digest",
    "ledger_batches.digest": "a digest",
    "api_claims.fingerprint": "a digest",
    "api_signatures.signature": "a digest",
    "api_signatures.path": "a digest",
    "files.digest": "a digest",
    "virtual_account_orders.party_digest": "a keyed digest, whose key outlives the master key",
    "email_codes.address_digest": "a keyed digest, whose key outlives the master key",
    "email_codes.code_digest": "a keyed digest, whose key outlives the master key",
    "api_keys.ed25519_public_key": "public by nature",
    "wallet_deposits.sender_digest": "a digest",
    "wallet_outgoing_attempts.raw": "signed for everybody to see",
    "webhook_events.body": "kept as it was sent",
    "webhook_attempts.answer": "the receiver's words",
}


def byte_columns(connection: psycopg.Connection[tuple[str, str]]) -> set[str]:
    """Every column of bytes of ours, partitions left out."""
    rows = connection.execute(
        """
        SELECT c.relname, a.attname
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        WHERE a.attnum > 0 AND NOT a.attisdropped AND a.atttypid IN ('bytea'::regtype, 'bytea[]'::regtype)
        """
    ).fetchall()
    return {f"{table}.{column}" for table, column in rows}


def test_every_column_of_bytes_is_sealed_or_says_why_not(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        found = byte_columns(connection)
    registered = {f"{column.table}.{column.column}" for column in SEALED_COLUMNS}
    assert found - registered - set(NOT_SEALED) == set(), "add it to wiring/sealed_columns.py, or say why not here"
    assert registered - found == set()
    assert set(NOT_SEALED) - found == set()


def test_what_is_named_sealed_is_registered(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            """
            SELECT table_name || '.' || column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name LIKE 'sealed%'
            """
        ).fetchall()
    assert {name for (name,) in rows} <= {f"{column.table}.{column.column}" for column in SEALED_COLUMNS}


def test_keys_are_the_primary_keys_and_places_are_made_of_columns(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        for column in SEALED_COLUMNS:
            rows = connection.execute(
                """
                SELECT a.attname FROM pg_index x
                JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY(x.indkey)
                WHERE x.indrelid = %s::regclass AND x.indisprimary ORDER BY array_position(x.indkey, a.attnum)
                """,
                (column.table,),
            ).fetchall()
            assert tuple(name for (name,) in rows) == column.key, column
            names = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (column.table,)
            ).fetchall()
            assert set(column.place_columns) <= {name for (name,) in names}, column
