"""The provider chapter: sub wallets that collect for a provider's customers, collection orders, payouts in dollars."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Create the provider chapter's tables."""
    op.execute("""
        CREATE TABLE collection_wallets (
            merchant_id     bigint      NOT NULL,
            wallet_id       bigint      NOT NULL,
            link_id         bigint      NOT NULL,
            token           text        NOT NULL,
            request_id      text        NOT NULL,
            partner_user_id text        NOT NULL,
            account_name    text        NOT NULL,
            status          text        NOT NULL,
            frozen_by       text,
            reason          text,
            address         text,
            return_url      text,
            locale          text,
            expires_at      timestamptz NOT NULL,
            confirmed_at    timestamptz,
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, link_id),
            UNIQUE (merchant_id, wallet_id),
            UNIQUE (merchant_id, token),
            UNIQUE (merchant_id, request_id)
        ) WITH (fillfactor = 90);
        CREATE INDEX collection_wallets_partner ON collection_wallets (merchant_id, partner_user_id, link_id);
        CREATE INDEX collection_wallets_pending ON collection_wallets (link_id) WHERE status = 'PENDING';

        CREATE TABLE collection_orders (
            merchant_id           bigint        NOT NULL,
            order_id              bigint        NOT NULL,
            wallet_id             bigint        NOT NULL,
            account_name          text          NOT NULL,
            transaction_id        bigint        NOT NULL,
            asset                 text          NOT NULL,
            amount                numeric(78,0) NOT NULL CHECK (amount > 0),
            address               text          NOT NULL,
            payer_address         text,
            hash                  text,
            status                text          NOT NULL,
            accept_status         text          NOT NULL,
            aml_status            text          NOT NULL,
            risk_level            text          NOT NULL,
            quote_id              text,
            quote_price           numeric,
            quote_fee             numeric(78,0),
            quote_received        numeric(78,0),
            quote_expires_at      timestamptz,
            accept_deadline       timestamptz   NOT NULL,
            accepted_at           timestamptz,
            reason                text,
            refund_address        text,
            refund_transaction_id bigint,
            refund_status         text,
            refund_hash           text,
            created_at            timestamptz   NOT NULL,
            updated_at            timestamptz   NOT NULL,
            completed_at          timestamptz,
            PRIMARY KEY (merchant_id, order_id),
            UNIQUE (merchant_id, transaction_id)
        ) WITH (fillfactor = 90);
        CREATE INDEX collection_orders_status ON collection_orders (merchant_id, status, order_id);
        CREATE INDEX collection_orders_wallet ON collection_orders (merchant_id, wallet_id, order_id);
        CREATE UNIQUE INDEX collection_orders_refund ON collection_orders (merchant_id, refund_transaction_id)
            WHERE refund_transaction_id IS NOT NULL;
        CREATE INDEX collection_orders_due ON collection_orders (accept_deadline) WHERE accept_status = 'ACCEPTING';

        CREATE TABLE usd_payouts (
            merchant_id       bigint        NOT NULL,
            payout_id         bigint        NOT NULL,
            merchant_order_id text          NOT NULL,
            bank_account_id   bigint,
            amount            numeric(78,0) NOT NULL CHECK (amount > 0),
            fee               numeric(78,0) NOT NULL CHECK (fee >= 0),
            status            text          NOT NULL,
            reason            text,
            created_at        timestamptz   NOT NULL,
            updated_at        timestamptz   NOT NULL,
            completed_at      timestamptz,
            PRIMARY KEY (merchant_id, payout_id),
            UNIQUE (merchant_id, merchant_order_id)
        ) WITH (fillfactor = 90);
        CREATE INDEX usd_payouts_status ON usd_payouts (merchant_id, status, payout_id);
    """)
