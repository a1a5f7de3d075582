"""The orders chapter: pools, quotes and what stands open in them, orders."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Create the orders chapter's tables. What desk and pools hold stands in the ledger."""
    op.execute("""
        -- Shared: the house's pools.
        CREATE TABLE stable_pools (
            pool_id       bigint      PRIMARY KEY,
            first_asset   text        NOT NULL REFERENCES ledger_assets,
            second_asset  text        NOT NULL REFERENCES ledger_assets,
            amplification integer     NOT NULL CHECK (amplification BETWEEN 1 AND 1000000),
            fee_bps       smallint    NOT NULL CHECK (fee_bps BETWEEN 0 AND 1000),
            is_open       boolean     NOT NULL,
            created_at    timestamptz NOT NULL,
            CHECK (first_asset <> second_asset)
        );

        CREATE TABLE stable_quotes (
            merchant_id    bigint        NOT NULL,
            quote_id       uuid          NOT NULL,
            side           text          NOT NULL,
            paid_asset     text          NOT NULL,
            paid           numeric(78,0) NOT NULL CHECK (paid > 0),
            received_asset text          NOT NULL,
            received       numeric(78,0) NOT NULL CHECK (received > 0),
            fee            numeric(78,0) NOT NULL CHECK (fee >= 0),
            price          numeric       NOT NULL,
            mid            numeric       NOT NULL,
            route          text          NOT NULL,
            wallet_id      bigint,
            exposure_cents numeric(78,0) NOT NULL,
            created_at     timestamptz   NOT NULL,
            expires_at     timestamptz   NOT NULL,
            order_id       bigint,
            PRIMARY KEY (merchant_id, quote_id)
        ) WITH (fillfactor = 90);
        CREATE INDEX stable_quotes_age ON stable_quotes (expires_at);

        -- What the open quotes of a merchant come to, in US cents, by the minute in which they end.
        CREATE TABLE stable_exposures (
            merchant_id bigint        NOT NULL,
            ends_at     timestamptz   NOT NULL,
            cents       numeric(78,0) NOT NULL,
            PRIMARY KEY (merchant_id, ends_at)
        ) WITH (fillfactor = 50);
        CREATE INDEX stable_exposures_age ON stable_exposures (ends_at);

        CREATE TABLE stable_orders (
            merchant_id            bigint        NOT NULL,
            order_id               bigint        NOT NULL,
            merchant_order_id      text          NOT NULL,
            quote_id               uuid,
            side                   text          NOT NULL,
            funding                text          NOT NULL,
            paid_asset             text          NOT NULL,
            paid                   numeric(78,0) NOT NULL CHECK (paid > 0),
            received_asset         text          NOT NULL,
            received               numeric(78,0) NOT NULL CHECK (received > 0),
            fee                    numeric(78,0) NOT NULL CHECK (fee >= 0),
            price                  numeric       NOT NULL,
            mid                    numeric       NOT NULL,
            route                  text          NOT NULL,
            wallet_id              bigint        NOT NULL,
            target_wallet_id       bigint,
            sub_user_id            text,
            payout_bank_account_id bigint,
            payout_order_id        bigint,
            status                 text          NOT NULL,
            settled                numeric(78,0),
            instructions           text,
            arrivals               text          NOT NULL DEFAULT '[]',
            abnormal               text          NOT NULL DEFAULT '[]',
            fail_reason            text,
            remark                 text,
            created_at             timestamptz   NOT NULL,
            updated_at             timestamptz   NOT NULL,
            expires_at             timestamptz   NOT NULL,
            completed_at           timestamptz,
            PRIMARY KEY (merchant_id, order_id),
            UNIQUE (merchant_id, merchant_order_id)
        ) WITH (fillfactor = 90);
        CREATE INDEX stable_orders_status ON stable_orders (merchant_id, status, order_id);
        CREATE INDEX stable_orders_side ON stable_orders (merchant_id, side, order_id);
        CREATE INDEX stable_orders_due ON stable_orders (expires_at) WHERE status = 'AWAITING_FUNDS';
    """)
