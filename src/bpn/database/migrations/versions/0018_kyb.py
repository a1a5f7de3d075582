"""Sub users: the customers of merchants, their details sealed."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the table."""
    op.execute("""
        CREATE TABLE kyb_sub_users (
            merchant_id     bigint      NOT NULL,
            sub_user_id     bigint      NOT NULL,
            partner_user_id text        NOT NULL,
            customer_type   text        NOT NULL,
            status          text        NOT NULL,
            pending_actions text[]      NOT NULL,
            reject_reasons  text[]      NOT NULL,
            version         integer     NOT NULL,
            -- Null once erased.
            sealed_profile  bytea,
            document_kinds  text[]      NOT NULL DEFAULT '{}',
            document_files  bigint[]    NOT NULL DEFAULT '{}',
            note            text,
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            erased_at       timestamptz,
            PRIMARY KEY (merchant_id, sub_user_id),
            UNIQUE (merchant_id, partner_user_id)
        );
        CREATE INDEX kyb_sub_users_pending ON kyb_sub_users (sub_user_id) WHERE status = 'PENDING';
        CREATE INDEX kyb_sub_users_reviewing ON kyb_sub_users (sub_user_id) WHERE status = 'REVIEWING';
    """)
