"""Merchants and their API keys."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create merchants, keys, and what the door remembers of requests."""
    op.execute("""
        CREATE TABLE merchants (
            merchant_id bigint      NOT NULL PRIMARY KEY,
            name        text        NOT NULL,
            suspended   boolean     NOT NULL DEFAULT false,
            created_at  timestamptz NOT NULL
        );

        CREATE TABLE api_keys (
            merchant_id   bigint      NOT NULL REFERENCES merchants,
            key_id        bigint      NOT NULL,
            api_key       text        NOT NULL,
            sealed_secret bytea       NOT NULL,
            permissions   text[]      NOT NULL,
            allowed_ips   text[]      NOT NULL DEFAULT '{}',
            created_at    timestamptz NOT NULL,
            last_used_at  timestamptz,
            revoked_at    timestamptz,
            PRIMARY KEY (merchant_id, key_id),
            UNIQUE (merchant_id, api_key)
        );

        -- Answers of money-moving requests, by the merchant's own id.
        CREATE TABLE api_claims (
            merchant_id bigint      NOT NULL,
            operation   text        NOT NULL,
            claim       text        NOT NULL,
            fingerprint bytea       NOT NULL,
            answer      bytea       NOT NULL,
            created_at  timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, operation, claim)
        );

        -- Signatures seen, until their timestamp leaves the window. Four slots by time; a job empties the one that
        -- no acceptable timestamp can fall into.
        CREATE TABLE api_signatures (
            merchant_id bigint   NOT NULL,
            slot        smallint NOT NULL,
            signature   bytea    NOT NULL,
            path        bytea    NOT NULL,
            PRIMARY KEY (merchant_id, slot, signature)
        ) PARTITION BY LIST (slot);
    """)
    for slot in range(4):
        op.execute(f"""
            CREATE TABLE api_signatures_{slot} PARTITION OF api_signatures FOR VALUES IN ({slot});
            GRANT TRUNCATE ON api_signatures_{slot} TO bpn_application;
        """)
