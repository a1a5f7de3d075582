"""The journal's index by reference begins with the reference.

Beginning with the merchant it was, while the journal was small, as good as the primary key in the planner's
eyes; a plan kept from that time read the whole book of a merchant for each movement.
"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Turn the index round."""
    op.execute("""
        DROP INDEX ledger_transfers_reference;
        CREATE INDEX ledger_transfers_reference ON ledger_transfers (reference_id, merchant_id);
    """)
