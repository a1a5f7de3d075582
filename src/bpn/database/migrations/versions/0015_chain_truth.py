"""What of a network is final, why its reading stopped or is in doubt, and what arrived and is not credited."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add what the reading of a network remembers, and the table of what is not credited."""
    op.execute("""
        -- first_block: where reading began. final_number: deposits up to this block may be booked. stopped: only an
        -- operator lets the reading go on. doubt: nothing is released while it stands. survey_block: the next that is
        -- searched for what is not credited.
        ALTER TABLE wallet_chains
            ADD COLUMN first_block  bigint NOT NULL DEFAULT 0,
            ADD COLUMN final_number bigint NOT NULL DEFAULT 0,
            ADD COLUMN stopped      text,
            ADD COLUMN doubt        text,
            ADD COLUMN survey_block bigint;
        UPDATE wallet_chains SET survey_block = next_block;
        ALTER TABLE wallet_chains ALTER COLUMN survey_block SET NOT NULL;

        CREATE TABLE wallet_uncredited (
            merchant_id   bigint        NOT NULL,
            uncredited_id bigint        NOT NULL,
            kind          text          NOT NULL,
            network       text          NOT NULL,
            wallet_id     bigint        NOT NULL,
            hash          text          NOT NULL,
            position      integer       NOT NULL,
            block_number  bigint        NOT NULL,
            contract      text,
            sender        text          NOT NULL,
            recipient     text          NOT NULL,
            amount        numeric(78,0) NOT NULL,
            noted_at      timestamptz   NOT NULL,
            PRIMARY KEY (merchant_id, uncredited_id),
            UNIQUE (merchant_id, network, hash, kind, position)
        );
        CREATE INDEX wallet_uncredited_newest ON wallet_uncredited (uncredited_id);
    """)
