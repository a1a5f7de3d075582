"""The sandbox's bank: an outside world, in a schema of its own that nothing of ours reads."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the bank's books."""
    op.execute("""
        CREATE SCHEMA simulated_bank;
        GRANT USAGE ON SCHEMA simulated_bank TO bpn_application;
        ALTER DEFAULT PRIVILEGES IN SCHEMA simulated_bank
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bpn_application;
        ALTER DEFAULT PRIVILEGES IN SCHEMA simulated_bank GRANT USAGE ON SEQUENCES TO bpn_application;

        -- Accounts it was asked for. `numbers` is JSON once there are any.
        CREATE TABLE simulated_bank.accounts (
            request_id  text        PRIMARY KEY,
            state       text        NOT NULL,
            numbers     text,
            fail_reason text,
            ready_at    timestamptz NOT NULL,
            closed_at   timestamptz
        );
        CREATE SEQUENCE simulated_bank.account_numbers START 10000001;

        -- Whose number is this? Each once.
        CREATE TABLE simulated_bank.handles (
            kind       text NOT NULL,
            value      text NOT NULL,
            request_id text NOT NULL,
            PRIMARY KEY (kind, value)
        );

        -- Payments it was given: each end-to-end id once, whatever is handed over again.
        CREATE TABLE simulated_bank.payments (
            end_to_end_id text        PRIMARY KEY,
            batch_id      text        NOT NULL,
            currency      text        NOT NULL,
            amount        numeric     NOT NULL,
            received_at   timestamptz NOT NULL
        );

        -- All it has booked, for ever. `amount` is signed, and zero for reports that move nothing.
        CREATE TABLE simulated_bank.entries (
            reference text        PRIMARY KEY,
            kind      text        NOT NULL,
            currency  text        NOT NULL,
            amount    numeric     NOT NULL,
            booked_at timestamptz NOT NULL,
            body      text        NOT NULL
        );

        -- What it still has to tell; an entry told twice stands here twice. A row goes when it is acknowledged.
        CREATE SEQUENCE simulated_bank.delivery_positions;
        CREATE TABLE simulated_bank.deliveries (
            delivery_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            due_at      timestamptz NOT NULL,
            position    bigint      NOT NULL DEFAULT nextval('simulated_bank.delivery_positions'),
            reference   text        NOT NULL,
            waits       boolean     NOT NULL
        );
        CREATE INDEX deliveries_due ON simulated_bank.deliveries (due_at, position);
        CREATE INDEX deliveries_waiting ON simulated_bank.deliveries (delivery_id) WHERE waits;

        -- Levers that are pulled.
        CREATE TABLE simulated_bank.levers (
            name  text PRIMARY KEY,
            value text NOT NULL
        );
    """)
