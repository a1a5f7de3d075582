"""Earmarks: deposit addresses that belong to something above the wallet. Legs of orders in the history."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create earmarks; deposits know theirs, and since when they are cleared."""
    op.execute("""
        CREATE TABLE wallet_earmarks (
            merchant_id     bigint      NOT NULL,
            kind            text        NOT NULL,
            subject_id      bigint      NOT NULL,
            wallet_id       bigint      NOT NULL,
            address_index   integer     NOT NULL,
            sender_required boolean     NOT NULL,
            sealed_sender   bytea,
            created_at      timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, kind, subject_id)
        );
        CREATE TABLE wallet_earmark_addresses (
            merchant_id bigint NOT NULL,
            network     text   NOT NULL,
            address     text   NOT NULL,
            kind        text   NOT NULL,
            subject_id  bigint NOT NULL,
            PRIMARY KEY (merchant_id, network, address),
            UNIQUE (merchant_id, kind, subject_id, network)
        );

        ALTER TABLE wallet_transactions
            ADD COLUMN earmark_kind text,
            ADD COLUMN earmark_id bigint,
            -- Of an order's leg: the currency on the other side, and whether money came in.
            ADD COLUMN counter_currency text,
            ADD COLUMN incoming boolean NOT NULL DEFAULT false;
        CREATE INDEX wallet_transactions_earmark
            ON wallet_transactions (merchant_id, earmark_kind, earmark_id, transaction_id) WHERE earmark_id IS NOT NULL;

        ALTER TABLE wallet_deposits ADD COLUMN cleared_at timestamptz;
        CREATE INDEX wallet_deposits_cleared ON wallet_deposits (cleared_at) WHERE cleared_at IS NOT NULL;
    """)
