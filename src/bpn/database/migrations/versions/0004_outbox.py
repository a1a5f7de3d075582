"""Facts, written with the change they report."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the outbox."""
    op.execute("""
        CREATE TABLE outbox_facts (
            merchant_id bigint      NOT NULL,
            fact_id     bigint      NOT NULL,
            name        text        NOT NULL,
            subject_id  bigint      NOT NULL,
            -- Unix milliseconds, wall time; strictly increasing for one subject.
            timestamp   bigint      NOT NULL,
            content     text        NOT NULL,
            due_at      timestamptz NOT NULL,
            attempts    smallint    NOT NULL DEFAULT 0,
            relayed     boolean     NOT NULL DEFAULT false,
            PRIMARY KEY (merchant_id, fact_id)
        ) WITH (fillfactor = 80);
        CREATE INDEX outbox_facts_subject ON outbox_facts (merchant_id, subject_id, timestamp);
        CREATE INDEX outbox_facts_unrelayed ON outbox_facts (due_at) WHERE NOT relayed;
    """)
