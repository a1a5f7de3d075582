"""Keys that sign with ed25519, and secrets that overlap while a key is rotated."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Widen the keys."""
    op.execute("""
        ALTER TABLE api_keys
            -- The raw public key; such a key takes ed25519 message signatures only.
            ADD COLUMN ed25519_public_key bytea,
            -- The secret before the last rotation, valid until then.
            ADD COLUMN sealed_previous bytea,
            ADD COLUMN previous_until timestamptz;
    """)
