"""The webhooks chapter: endpoints, events, deliveries, attempts."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the webhooks chapter's tables."""
    op.execute("""
        CREATE TABLE webhook_endpoints (
            merchant_id     bigint      NOT NULL,
            endpoint_id     bigint      NOT NULL,
            url             text        NOT NULL,
            event_types     text[]      NOT NULL,
            enabled         boolean     NOT NULL,
            disabled_reason text,
            api_key         text,
            sealed_secret   bytea       NOT NULL,
            sealed_previous bytea,
            previous_until  timestamptz,
            created_at      timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, endpoint_id)
        );

        CREATE TABLE webhook_events (
            merchant_id  bigint      NOT NULL,
            event_id     uuid        NOT NULL,
            sequence     bigint      NOT NULL,
            event_type   text        NOT NULL,
            reference_id text,
            status       text,
            timestamp    bigint      NOT NULL,
            body         bytea       NOT NULL,
            created_at   timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, event_id)
        );
        CREATE UNIQUE INDEX webhook_events_sequence ON webhook_events (merchant_id, sequence);
        CREATE INDEX webhook_events_reference ON webhook_events (merchant_id, reference_id, sequence);
        CREATE INDEX webhook_events_age ON webhook_events (created_at);

        CREATE TABLE webhook_deliveries (
            merchant_id bigint      NOT NULL,
            delivery_id bigint      NOT NULL,
            event_id    uuid        NOT NULL,
            endpoint_id bigint      NOT NULL,
            state       text        NOT NULL CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED')),
            attempts    smallint    NOT NULL DEFAULT 0,
            due_at      timestamptz NOT NULL,
            -- Until when a worker has it in hand; a killed worker's lease runs out.
            leased_until timestamptz NOT NULL DEFAULT '-infinity',
            PRIMARY KEY (merchant_id, delivery_id),
            FOREIGN KEY (merchant_id, event_id) REFERENCES webhook_events ON DELETE CASCADE
        ) WITH (fillfactor = 80);
        CREATE INDEX webhook_deliveries_event ON webhook_deliveries (merchant_id, event_id);
        CREATE INDEX webhook_deliveries_due ON webhook_deliveries (merchant_id, endpoint_id, due_at)
            WHERE state = 'PENDING';

        CREATE TABLE webhook_attempts (
            merchant_id  bigint      NOT NULL,
            delivery_id  bigint      NOT NULL,
            number       smallint    NOT NULL,
            attempted_at timestamptz NOT NULL,
            http_status  smallint,
            latency_ms   integer     NOT NULL,
            error        text,
            answer       bytea       NOT NULL,
            PRIMARY KEY (merchant_id, delivery_id, number),
            FOREIGN KEY (merchant_id, delivery_id) REFERENCES webhook_deliveries ON DELETE CASCADE
        );
    """)
