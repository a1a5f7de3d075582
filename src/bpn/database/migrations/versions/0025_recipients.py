"""When those who are paid were last looked up: addresses of the whitelist, and withdrawals before they leave."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add the times, and an index of addresses that nobody has looked up."""
    op.execute("""
        ALTER TABLE wallet_withdrawals ADD COLUMN screened_at timestamptz;
        ALTER TABLE wallet_whitelist ADD COLUMN screened_at timestamptz;
        CREATE INDEX wallet_whitelist_unscreened ON wallet_whitelist (network, whitelist_id)
            WHERE screened_at IS NULL AND deleted_at IS NULL AND status <> 'REJECTED';
    """)
