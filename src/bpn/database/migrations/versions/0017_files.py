"""Files that merchants hand in."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the table."""
    op.execute("""
        CREATE TABLE files (
            merchant_id    bigint      NOT NULL,
            file_id        bigint      NOT NULL,
            sealed_name    bytea       NOT NULL,
            content_type   text        NOT NULL,
            size_bytes     integer     NOT NULL CHECK (size_bytes > 0),
            digest         bytea       NOT NULL,
            -- Until the store has them. Sealed bytes do not compress.
            sealed_content bytea       STORAGE EXTERNAL,
            created_at     timestamptz NOT NULL,
            moved_at       timestamptz,
            -- Wall time, since a store's answer is waited for in it.
            erased_at      timestamptz,
            store_deleted  boolean     NOT NULL DEFAULT false,
            PRIMARY KEY (merchant_id, file_id)
        );
        CREATE INDEX files_unmoved ON files (file_id) WHERE sealed_content IS NOT NULL;
        CREATE INDEX files_erased ON files (erased_at) WHERE erased_at IS NOT NULL AND NOT store_deleted;
    """)
