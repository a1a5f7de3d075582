"""Fees, limits, pause switches and settings of merchants as versions, and what is used of daily limits."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create both tables."""
    op.execute("""
        -- merchant_id 0 is all merchants; an empty currency, network or name is every one.
        CREATE TABLE controls (
            merchant_id bigint      NOT NULL,
            control_id  bigint      NOT NULL,
            kind        text        NOT NULL,
            name        text        NOT NULL,
            currency    text        NOT NULL,
            network     text        NOT NULL,
            value       jsonb,
            valid_from  timestamptz NOT NULL,
            maker       text        NOT NULL,
            checker     text        CHECK (checker <> maker),
            reason      text,
            proposal    boolean     NOT NULL,
            created_at  timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, control_id)
        );
        CREATE INDEX controls_subject ON controls (merchant_id, kind, name, currency, network, control_id);
        CREATE INDEX controls_newest ON controls (kind, control_id);
        REVOKE UPDATE, DELETE, TRUNCATE ON controls FROM bpn_application;
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON controls
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

        -- In whole units. The row without a network is the currency's total; '-' is no network.
        CREATE TABLE control_uses (
            merchant_id bigint  NOT NULL,
            operation   text    NOT NULL,
            currency    text    NOT NULL,
            network     text    NOT NULL,
            day         date    NOT NULL,
            used        numeric NOT NULL,
            PRIMARY KEY (merchant_id, operation, currency, network, day)
        );
    """)
