"""One machine for all that leaves: nonces by sending address, a purpose each, every signed attempt kept."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Take the hot wallet's queue apart: senders, outgoing transfers, their attempts; sweeps on top."""
    op.execute("""
        -- Chain-scoped: the next nonce of every address that sends; key index 0 is the hot wallet.
        CREATE TABLE wallet_senders (
            network    text    NOT NULL,
            key_index  integer NOT NULL,
            next_nonce bigint,
            PRIMARY KEY (network, key_index)
        );
        INSERT INTO wallet_senders SELECT network, 0, next_nonce FROM wallet_chains WHERE next_nonce IS NOT NULL;
        ALTER TABLE wallet_chains DROP COLUMN next_nonce;

        ALTER TABLE wallet_outgoing ADD COLUMN key_index integer NOT NULL DEFAULT 0;
        ALTER TABLE wallet_outgoing ADD COLUMN purpose text NOT NULL DEFAULT 'withdrawal'
            CHECK (purpose IN ('withdrawal', 'refund', 'sweep', 'top_up'));
        ALTER TABLE wallet_outgoing ADD COLUMN gas_cost numeric(78,0);
        ALTER TABLE wallet_outgoing ALTER COLUMN key_index DROP DEFAULT;
        ALTER TABLE wallet_outgoing ALTER COLUMN purpose DROP DEFAULT;
        ALTER TABLE wallet_outgoing RENAME COLUMN transaction_id TO reference_id;
        -- The network's native coin has no contract.
        ALTER TABLE wallet_outgoing ALTER COLUMN contract DROP NOT NULL;
        ALTER TABLE wallet_outgoing DROP CONSTRAINT wallet_outgoing_network_transaction_id_key;
        ALTER TABLE wallet_outgoing DROP CONSTRAINT wallet_outgoing_pkey;
        ALTER TABLE wallet_outgoing ADD PRIMARY KEY (network, key_index, nonce);
        ALTER TABLE wallet_outgoing ADD CONSTRAINT wallet_outgoing_reference UNIQUE (network, purpose, reference_id);
        DROP INDEX wallet_outgoing_open;
        CREATE INDEX wallet_outgoing_open ON wallet_outgoing (network, key_index, nonce) WHERE state <> 'settled';

        -- Chain-scoped: what was signed for a nonce, first and replacements. Whichever is mined settles it.
        CREATE TABLE wallet_outgoing_attempts (
            network      text          NOT NULL,
            key_index    integer       NOT NULL,
            nonce        bigint        NOT NULL,
            number       integer       NOT NULL,
            max_fee      numeric(78,0) NOT NULL,
            priority_fee numeric(78,0),
            raw          bytea,
            hash         text,
            planned_at   timestamptz   NOT NULL,
            sent_at      timestamptz,
            PRIMARY KEY (network, key_index, nonce, number)
        );
        INSERT INTO wallet_outgoing_attempts
        SELECT network, key_index, nonce, 1, max_fee, priority_fee, raw, hash, coalesce(broadcast_at, now()),
               broadcast_at
        FROM wallet_outgoing;
        ALTER TABLE wallet_outgoing DROP COLUMN max_fee, DROP COLUMN priority_fee, DROP COLUMN raw,
            DROP COLUMN broadcast_at;
        CREATE INDEX wallet_outgoing_hash ON wallet_outgoing_attempts (network, hash) WHERE hash IS NOT NULL;
    """)
