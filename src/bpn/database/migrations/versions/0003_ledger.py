"""The ledger: assets, accounts, transfers, entries, batches, seals. The journal only grows."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the ledger. `merchant_id` is the book; 0 is the house book."""
    op.execute("""
        CREATE TABLE ledger_assets (
            code     text PRIMARY KEY,
            currency text NOT NULL,
            network  text,
            scale    smallint NOT NULL CHECK (scale BETWEEN 0 AND 36)
        );

        CREATE TABLE ledger_accounts (
            merchant_id bigint        NOT NULL,
            account_id  bigint        NOT NULL,
            name        text          NOT NULL,
            asset       text          NOT NULL REFERENCES ledger_assets,
            policy      text          NOT NULL CHECK (policy IN ('credit_balance', 'debit_balance', 'any')),
            posted      numeric(78,0) NOT NULL DEFAULT 0,
            pending     numeric(78,0) NOT NULL DEFAULT 0 CHECK (pending >= 0),
            version     bigint        NOT NULL DEFAULT 0,
            recorded_at timestamptz   NOT NULL,
            PRIMARY KEY (merchant_id, account_id),
            UNIQUE (merchant_id, name, asset),
            CHECK (policy <> 'credit_balance' OR posted >= pending),
            CHECK (policy <> 'debit_balance' OR posted <= 0)
        ) WITH (fillfactor = 50);

        CREATE TABLE ledger_transfers (
            merchant_id    bigint        NOT NULL,
            transfer_id    bigint        NOT NULL,
            batch_id       bigint        NOT NULL,
            position       integer       NOT NULL,
            kind           text          NOT NULL CHECK (kind IN ('direct', 'pending', 'post', 'void')),
            code           text          NOT NULL,
            reference_id   bigint        NOT NULL,
            debit_id       bigint        NOT NULL,
            credit_id      bigint        NOT NULL,
            asset          text          NOT NULL,
            amount         numeric(78,0) NOT NULL CHECK (amount > 0),
            pending_id     bigint,
            debit_version  bigint        NOT NULL,
            credit_version bigint,
            recorded_at    timestamptz   NOT NULL,
            digest         bytea         NOT NULL,
            PRIMARY KEY (merchant_id, transfer_id),
            CHECK ((kind IN ('post', 'void')) = (pending_id IS NOT NULL))
        );
        -- A hold ends once, whoever ends it.
        CREATE UNIQUE INDEX ledger_transfers_resolution ON ledger_transfers (merchant_id, pending_id)
            WHERE pending_id IS NOT NULL;
        CREATE INDEX ledger_transfers_reference ON ledger_transfers (merchant_id, reference_id);

        CREATE TABLE ledger_entries (
            merchant_id    bigint        NOT NULL,
            account_id     bigint        NOT NULL,
            version        bigint        NOT NULL,
            transfer_id    bigint        NOT NULL,
            posted_before  numeric(78,0) NOT NULL,
            posted_after   numeric(78,0) NOT NULL,
            pending_before numeric(78,0) NOT NULL,
            pending_after  numeric(78,0) NOT NULL,
            recorded_at    timestamptz   NOT NULL,
            PRIMARY KEY (merchant_id, account_id, version)
        );
        CREATE INDEX ledger_entries_time ON ledger_entries (merchant_id, account_id, recorded_at, version);

        CREATE TABLE ledger_batches (
            merchant_id bigint NOT NULL,
            batch_id    bigint NOT NULL,
            transfers   integer NOT NULL,
            digest      bytea  NOT NULL,
            PRIMARY KEY (merchant_id, batch_id)
        );
        -- Batches whose seal is still to come: a queue, emptied by the sealing job.
        CREATE TABLE ledger_unsealed (
            merchant_id bigint NOT NULL,
            batch_id    bigint NOT NULL,
            PRIMARY KEY (merchant_id, batch_id)
        );
        -- The hash chain of each book: every seal covers one batch and the seal before it.
        CREATE TABLE ledger_seals (
            merchant_id bigint NOT NULL,
            number      bigint NOT NULL,
            batch_id    bigint NOT NULL,
            hash        bytea  NOT NULL,
            PRIMARY KEY (merchant_id, number),
            UNIQUE (merchant_id, batch_id)
        );

        CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the journal is append-only: % on % is refused', TG_OP, TG_TABLE_NAME;
        END $$;
    """)
    for table in ("ledger_transfers", "ledger_entries", "ledger_batches", "ledger_seals"):
        op.execute(f"""
            REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM bpn_application;
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
        """)
    op.execute("""
        REVOKE DELETE, TRUNCATE ON ledger_accounts FROM bpn_application;
        REVOKE UPDATE, DELETE, TRUNCATE ON ledger_assets FROM bpn_application;
    """)
