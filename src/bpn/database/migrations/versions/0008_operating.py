"""What an operator needs: the audit log, and indexes for what is stuck, late or removed by a reorg."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the audit log and the indexes."""
    op.execute("""
        CREATE TABLE audit_entries (
            merchant_id bigint      NOT NULL,
            audit_id    bigint      NOT NULL,
            actor       text        NOT NULL,
            action      text        NOT NULL,
            subject_id  bigint      NOT NULL,
            reason      text,
            before      text        NOT NULL,
            after       text        NOT NULL,
            created_at  timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, audit_id)
        );
        CREATE INDEX audit_entries_subject ON audit_entries (merchant_id, subject_id);
        CREATE INDEX audit_entries_newest ON audit_entries (audit_id);
        REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries FROM bpn_application;
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

        -- The place among a transaction's token transfers: a block's log index changes when a reorg moves it.
        ALTER TABLE wallet_deposits RENAME COLUMN log_index TO position;

        -- The head at which the chain first said that another transaction has this nonce.
        ALTER TABLE wallet_outgoing ADD COLUMN taken_at_block bigint;

        CREATE INDEX wallet_transactions_deposit_block ON wallet_transactions (network, block_number)
            WHERE transaction_type = 'DEPOSIT';
        CREATE INDEX wallet_deposits_deadline ON wallet_deposits (network, sender_deadline)
            WHERE sender_deadline IS NOT NULL AND sender_digest IS NULL;
        CREATE INDEX wallet_whitelist_pending ON wallet_whitelist (whitelist_id) WHERE status = 'PENDING';
    """)
