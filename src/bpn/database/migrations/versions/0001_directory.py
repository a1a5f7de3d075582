"""The application role, the global directory, the business clock."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create what stands outside any merchant's data."""
    op.execute("""
        DO $$ BEGIN
            CREATE ROLE bpn_application NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$;

        DO $$ BEGIN
            EXECUTE format('GRANT bpn_application TO %I', current_user);
        EXCEPTION WHEN OTHERS THEN
            IF NOT pg_has_role(current_user, 'bpn_application', 'MEMBER') THEN RAISE; END IF;
        END $$;

        GRANT USAGE ON SCHEMA public TO bpn_application;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bpn_application;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO bpn_application;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO bpn_application;
        GRANT SELECT ON alembic_version TO bpn_application;

        -- Whose is this API key, this address on this network, this public token? Unique over all merchants.
        CREATE TABLE directory (
            kind        text   NOT NULL,
            value       text   NOT NULL,
            merchant_id bigint NOT NULL,
            PRIMARY KEY (kind, value)
        );

        -- How far a sandbox has moved its business time ahead of wall time. One row.
        CREATE TABLE business_clock (
            singleton   boolean  PRIMARY KEY DEFAULT true CHECK (singleton),
            offset_time interval NOT NULL DEFAULT '0' CHECK (offset_time >= '0')
        );
        INSERT INTO business_clock DEFAULT VALUES;

        -- Secrets of the house, sealed under the master key.
        CREATE TABLE sealed_secrets (
            name   text  PRIMARY KEY,
            sealed bytea NOT NULL
        );
    """)
