"""Refunds: deposits in suspense that go back on chain, by the way of withdrawals."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """What waits for the hot wallet says what it is for; a refund knows its deposit."""
    op.execute("""
        ALTER TABLE wallet_withdrawals
            ADD COLUMN purpose text NOT NULL DEFAULT 'withdrawal' CHECK (purpose IN ('withdrawal', 'refund')),
            ADD COLUMN deposit_id bigint;
        DROP INDEX wallet_withdrawals_unsent;
        CREATE INDEX wallet_withdrawals_unsent ON wallet_withdrawals (network, purpose, transaction_id) WHERE unsent;
        CREATE INDEX wallet_withdrawals_deposit ON wallet_withdrawals (merchant_id, deposit_id)
            WHERE deposit_id IS NOT NULL;
    """)
