"""How often each key has asked in its present window, for all processes."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Create the counters. Unlogged: a crash may forget a second's count."""
    op.execute("""
        CREATE UNLOGGED TABLE api_rates (
            merchant_id  bigint      NOT NULL,
            key_id       bigint      NOT NULL,
            window_start timestamptz NOT NULL,
            taken        integer     NOT NULL,
            PRIMARY KEY (merchant_id, key_id)
        ) WITH (fillfactor = 50);
    """)
