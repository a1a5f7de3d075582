"""The payment links chapter: links, what was paid to them, abnormal funds."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create the payment links chapter's tables; deposits know the time of their block."""
    op.execute("""
        ALTER TABLE wallet_transactions ADD COLUMN block_time timestamptz;

        CREATE TABLE payment_links (
            merchant_id          bigint        NOT NULL,
            payment_id           bigint        NOT NULL,
            reference_payment_id bigint,
            token                text          NOT NULL,
            link_type            text          NOT NULL CHECK (link_type IN ('one_time', 'permanent')),
            status               text          NOT NULL,
            user_order_no        text,
            recipient_name       text          NOT NULL,
            wallet_id            bigint        NOT NULL,
            product_remark       text,
            fiat_currency        text          NOT NULL,
            fiat_scale           smallint      NOT NULL,
            fiat_amount          numeric(78,0),
            currencies           text[]        NOT NULL,
            networks             text[]        NOT NULL,
            valid_minutes        integer       NOT NULL,
            return_url           text,
            sealed_payer         bytea,
            payer_known          boolean       NOT NULL DEFAULT false,
            -- What the payer chose: the token, the exact amount, and the amount in whole units, to match funds by.
            currency             text,
            network              text,
            scale                smallint,
            amount               numeric(78,0),
            units                numeric,
            price                numeric,
            price_expires_at     timestamptz,
            address              text,
            labels               text[]        NOT NULL DEFAULT '{}',
            seen_at              timestamptz,
            effective_at         timestamptz   NOT NULL,
            expires_at           timestamptz,
            created_at           timestamptz   NOT NULL,
            updated_at           timestamptz   NOT NULL,
            completed_at         timestamptz,
            cancelled_at         timestamptz,
            PRIMARY KEY (merchant_id, payment_id),
            UNIQUE (merchant_id, token)
        ) WITH (fillfactor = 85);
        CREATE INDEX payment_links_status ON payment_links (merchant_id, status, payment_id);
        CREATE INDEX payment_links_type ON payment_links (merchant_id, link_type, payment_id);
        CREATE INDEX payment_links_order ON payment_links (merchant_id, user_order_no, payment_id)
            WHERE user_order_no IS NOT NULL;
        CREATE INDEX payment_links_created ON payment_links (merchant_id, created_at);
        CREATE INDEX payment_links_expiry ON payment_links (expires_at) WHERE status IN ('init', 'active');
        -- Links that a fund could pay, nearest amount first: those with a choice by its amount, others by their own.
        CREATE INDEX payment_links_units ON payment_links (merchant_id, currency, units)
            WHERE currency IS NOT NULL AND status IN ('init', 'active', 'expired') AND link_type = 'one_time';
        CREATE INDEX payment_links_fiat ON payment_links (merchant_id, fiat_currency, fiat_amount)
            WHERE currency IS NULL AND status IN ('init', 'expired') AND link_type = 'one_time';

        CREATE TABLE payment_link_payments (
            merchant_id            bigint        NOT NULL,
            transaction_id         bigint        NOT NULL,
            payment_id             bigint        NOT NULL,
            currency               text          NOT NULL,
            network                text          NOT NULL,
            scale                  smallint      NOT NULL,
            amount                 numeric(78,0) NOT NULL,
            counted                numeric(78,0) NOT NULL,
            status                 text          NOT NULL,
            labels                 text[]        NOT NULL DEFAULT '{}',
            hash                   text          NOT NULL,
            from_address           text,
            to_address             text          NOT NULL,
            block_time             timestamptz   NOT NULL,
            confirmations          integer       NOT NULL,
            required_confirmations integer       NOT NULL,
            created_at             timestamptz   NOT NULL,
            updated_at             timestamptz   NOT NULL,
            PRIMARY KEY (merchant_id, transaction_id)
        ) WITH (fillfactor = 85);
        CREATE INDEX payment_link_payments_link ON payment_link_payments (merchant_id, payment_id, transaction_id);
        CREATE INDEX payment_link_payments_confirming ON payment_link_payments (network, transaction_id)
            WHERE status = 'CONFIRMING';

        CREATE TABLE payment_link_funds (
            merchant_id           bigint        NOT NULL,
            abnormal_fund_id      bigint        NOT NULL,
            transaction_id        bigint        NOT NULL,
            part                  integer       NOT NULL,
            payment_id            bigint        NOT NULL,
            linked_payment_id     bigint,
            wallet_id             bigint        NOT NULL,
            currency              text          NOT NULL,
            network               text          NOT NULL,
            scale                 smallint      NOT NULL,
            amount                numeric(78,0) NOT NULL CHECK (amount > 0),
            hash                  text          NOT NULL,
            from_address          text,
            labels                text[]        NOT NULL DEFAULT '{}',
            status                text          NOT NULL,
            action                text,
            refund_address        text,
            reason                text,
            fee                   numeric(78,0),
            refund_transaction_id bigint,
            refund_hash           text,
            created_at            timestamptz   NOT NULL,
            updated_at            timestamptz   NOT NULL,
            PRIMARY KEY (merchant_id, abnormal_fund_id),
            UNIQUE (merchant_id, transaction_id, part)
        );
        CREATE INDEX payment_link_funds_status ON payment_link_funds (merchant_id, status, abnormal_fund_id);
        CREATE INDEX payment_link_funds_link ON payment_link_funds (merchant_id, payment_id, abnormal_fund_id);
        CREATE INDEX payment_link_funds_linked ON payment_link_funds (merchant_id, linked_payment_id)
            WHERE linked_payment_id IS NOT NULL;
        CREATE INDEX payment_link_funds_refund ON payment_link_funds (merchant_id, refund_transaction_id)
            WHERE refund_transaction_id IS NOT NULL;
        CREATE INDEX payment_link_funds_open ON payment_link_funds (abnormal_fund_id)
            WHERE status IN ('SUBMITTED', 'FROZEN', 'REFUND_FAILED');
    """)
