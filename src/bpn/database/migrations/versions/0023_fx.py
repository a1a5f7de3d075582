"""The fx chapter: rates, their history, spreads. The wallet's own prices go."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Create the fx chapter's tables; prices are asked anew within seconds, so none is carried over."""
    op.execute("""
        -- Shared: the newest rate of each pair by each source. `held_rate`: what jumped and nobody has accepted.
        CREATE TABLE fx_rates (
            base      text        NOT NULL,
            quote     text        NOT NULL,
            source    text        NOT NULL,
            rate      numeric     NOT NULL CHECK (rate > 0),
            rate_time timestamptz NOT NULL,
            held_rate numeric     CHECK (held_rate > 0),
            PRIMARY KEY (base, quote, source),
            CHECK (base <> quote)
        );
        -- Shared: every change that a source told, believed or not.
        CREATE TABLE fx_rate_history (
            base        text        NOT NULL,
            quote       text        NOT NULL,
            source      text        NOT NULL,
            rate_time   timestamptz NOT NULL,
            accepted    boolean     NOT NULL,
            rate        numeric     NOT NULL,
            recorded_at timestamptz NOT NULL,
            PRIMARY KEY (base, quote, source, rate_time, accepted)
        );
        CREATE INDEX fx_rate_history_age ON fx_rate_history (recorded_at);

        -- From the rate to bid and ask; merchant 0: for all. `base` < `quote`.
        CREATE TABLE fx_spreads (
            merchant_id bigint   NOT NULL,
            base        text     NOT NULL,
            quote       text     NOT NULL,
            bps         smallint NOT NULL CHECK (bps BETWEEN 0 AND 2000),
            PRIMARY KEY (merchant_id, base, quote),
            CHECK (base < quote)
        );

        DROP TABLE wallet_prices;
    """)
