"""The catalogue's rules: merchant data is led by merchant_id; exempt tables are named here, with their reason."""

from __future__ import annotations

import psycopg

from bpn.database.migrate import upgrade

SHARED = {
    "alembic_version": "the database's own revision",
    "ledger_assets": "what money can be of, the same for all",
    "directory": "global look-ups: value to merchant",
    "sealed_secrets": "the installation's own secrets",
    "business_clock": "one time for all",
    "stable_pools": "the house's pools, the same for all",
    "fx_rates": "market rates, the same for all",
    "fx_rate_history": "what the sources said, the same for all",
    "wallet_chains": "how far a network is read",
    "wallet_chain_blocks": "a network's newest blocks",
    "wallet_senders": "the next nonce of each sending address",
    "bank_batches": "payments of several merchants handed to a bank together",
    "wallet_outgoing": "what a network's addresses send, by nonce",
    "wallet_outgoing_attempts": "the transactions signed for a nonce",
}


OTHER_WORLDS = {"simulated_bank": "the sandbox's bank, outside as a chain is: nothing of ours reads it"}
"""Schemas that the rules do not hold for."""


def keys(connection: psycopg.Connection[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Table, index and leading column of every primary key and unique index of ours."""
    return connection.execute(
        """
        SELECT c.relname, i.relname, a.attname
        FROM pg_index x
        JOIN pg_class c ON c.oid = x.indrelid AND c.relkind IN ('r', 'p')
        JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
        WHERE (x.indisunique OR x.indisprimary) AND c.relname NOT LIKE 'procrastinate%'
        """
    ).fetchall()


def test_merchant_id_leads_every_key_of_merchant_data(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        wrong = [
            (table, index)
            for table, index, leading in keys(connection)
            if leading != "merchant_id" and table not in SHARED
        ]
    assert wrong == []


def test_every_table_has_a_primary_key_and_every_exemption_exists(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        tables = {
            str(name)
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'procrastinate%'"
            )
        }
        keyed = {table for table, _, _ in keys(connection)}
    assert tables - keyed == set()
    assert set(SHARED) - tables == set()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_all_that_is_ours_stands_in_one_schema(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        schemas = {
            str(name)
            for (name,) in connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
            )
        }
    assert schemas == {"public", *OTHER_WORLDS}
