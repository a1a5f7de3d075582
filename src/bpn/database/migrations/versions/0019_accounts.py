"""The accounts chapter: master and virtual accounts, orders, payments, bank accounts, papers, email codes."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the accounts chapter's tables."""
    op.execute("""
        CREATE TABLE master_accounts (
            merchant_id bigint      NOT NULL,
            account_id  bigint      NOT NULL,
            currency    text        NOT NULL,
            created_at  timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, account_id),
            UNIQUE (merchant_id, currency)
        );

        CREATE TABLE virtual_accounts (
            merchant_id        bigint      NOT NULL,
            account_id         bigint      NOT NULL,
            primary_account_id bigint      NOT NULL,
            currency           text        NOT NULL,
            country            text        NOT NULL,
            rail               text        NOT NULL,
            sub_type           text        NOT NULL CHECK (sub_type IN ('STATIC', 'DYNAMIC')),
            status             text        NOT NULL,
            fail_reason        text,
            sub_user_id        text,
            customer_type      text,
            pix_key_type       text,
            amount             numeric(78,0),
            expires_at         timestamptz,
            -- Whom the account is for, and what the rail gave it: personal data, sealed.
            sealed_profile     bytea       NOT NULL,
            sealed_details     bytea,
            -- Names the account in public URLs.
            token              text        NOT NULL,
            -- Whether the bank has still to be told that the account is closed.
            closing            boolean     NOT NULL DEFAULT false,
            -- Of another chapter: what the account's pay-ins belong to.
            earmark            text,
            restricted_until   timestamptz,
            created_at         timestamptz NOT NULL,
            updated_at         timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, account_id)
        );
        CREATE INDEX virtual_accounts_sub_user ON virtual_accounts (merchant_id, sub_user_id, account_id)
            WHERE sub_user_id IS NOT NULL;
        CREATE INDEX virtual_accounts_token ON virtual_accounts (merchant_id, token);
        CREATE INDEX virtual_accounts_opening ON virtual_accounts (account_id) WHERE status = 'INIT';

        CREATE INDEX virtual_accounts_closing ON virtual_accounts (account_id) WHERE closing;

        -- The numbers by which pay-ins name an account: keyed digests, as in the directory.
        CREATE TABLE virtual_account_handles (
            merchant_id bigint NOT NULL,
            kind        text   NOT NULL,
            value       text   NOT NULL,
            account_id  bigint NOT NULL,
            PRIMARY KEY (merchant_id, kind, value)
        );

        CREATE TABLE virtual_account_orders (
            merchant_id        bigint        NOT NULL,
            order_id           bigint        NOT NULL,
            order_type         text          NOT NULL,
            direction          text          NOT NULL CHECK (direction IN ('IN', 'OUT')),
            account_id         bigint        NOT NULL,
            primary_account_id bigint        NOT NULL,
            merchant_order_id  text,
            -- The pay-in of a refund or return, the payout of a return.
            counter_order_id   bigint,
            currency           text          NOT NULL,
            scale              smallint      NOT NULL,
            amount             numeric(78,0) NOT NULL CHECK (amount > 0),
            fee                numeric(78,0) NOT NULL,
            -- Of a pay-in: refunds accepted and not failed.
            refunded           numeric(78,0) NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
            status             text          NOT NULL,
            invoice_status     text          NOT NULL,
            rail               text          NOT NULL,
            source             text          NOT NULL,
            rail_reference     text,
            end_to_end_id      text,
            purpose            text,
            remark             text,
            charge_bearer      text,
            fail_code          text,
            fail_reason        text,
            -- The payer or the beneficiary, sealed; the digest tells whether two are the same.
            sealed_party       bytea,
            party_digest       bytea,
            bank_account_id    bigint,
            -- Of another chapter: what the order belongs to.
            earmark            text,
            -- Where its money waits outside the master's available balance: 'incoming' or 'suspense'.
            held_in            text,
            amount_hold_id     bigint,
            fee_hold_id        bigint,
            due_at             timestamptz,
            created_at         timestamptz   NOT NULL,
            updated_at         timestamptz   NOT NULL,
            completed_at       timestamptz,
            PRIMARY KEY (merchant_id, order_id)
        ) WITH (fillfactor = 90);
        CREATE UNIQUE INDEX virtual_account_orders_reference ON virtual_account_orders (merchant_id, merchant_order_id)
            WHERE merchant_order_id IS NOT NULL;
        CREATE UNIQUE INDEX virtual_account_orders_rail ON virtual_account_orders (merchant_id, source, rail_reference)
            WHERE rail_reference IS NOT NULL;
        CREATE INDEX virtual_account_orders_account ON virtual_account_orders (merchant_id, account_id, order_id);
        CREATE INDEX virtual_account_orders_type ON virtual_account_orders (merchant_id, order_type, order_id);
        CREATE INDEX virtual_account_orders_counter ON virtual_account_orders (merchant_id, counter_order_id)
            WHERE counter_order_id IS NOT NULL;
        CREATE INDEX virtual_account_orders_open ON virtual_account_orders (order_type, status, order_id)
            WHERE completed_at IS NULL;
        CREATE INDEX virtual_account_orders_due ON virtual_account_orders (due_at)
            WHERE status = 'ON_HOLD';
        CREATE INDEX virtual_account_orders_account_open ON virtual_account_orders (merchant_id, account_id)
            WHERE completed_at IS NULL;

        -- Batches handed to a bank: decided before they are sent, never changed.
        CREATE TABLE bank_batches (
            source     text        NOT NULL,
            batch_id   bigint      NOT NULL,
            created_at timestamptz NOT NULL,
            sent_at    timestamptz,
            PRIMARY KEY (source, batch_id)
        );
        CREATE INDEX bank_batches_unsent ON bank_batches (source, batch_id) WHERE sent_at IS NULL;

        -- Payments that a bank has to make: the intent of one order, for ever of one batch.
        CREATE TABLE bank_payments (
            merchant_id bigint  NOT NULL,
            order_id    bigint  NOT NULL,
            source      text    NOT NULL,
            state       text    NOT NULL CHECK (state IN ('waiting', 'screening', 'ready', 'given', 'dropped')),
            screened    boolean NOT NULL DEFAULT false,
            batch_id    bigint,
            PRIMARY KEY (merchant_id, order_id)
        );
        CREATE INDEX bank_payments_due ON bank_payments (source, state, order_id)
            WHERE state IN ('screening', 'ready');
        CREATE INDEX bank_payments_batch ON bank_payments (source, batch_id) WHERE batch_id IS NOT NULL;

        CREATE TABLE bank_accounts (
            merchant_id     bigint      NOT NULL,
            bank_account_id bigint      NOT NULL,
            account_type    text        NOT NULL CHECK (account_type IN ('payer', 'beneficiary')),
            network_type    text        NOT NULL,
            country         text        NOT NULL,
            currency        text        NOT NULL,
            sealed_info     bytea       NOT NULL,
            status          text        NOT NULL,
            fail_reason     text,
            created_at      timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, bank_account_id)
        );
        CREATE INDEX bank_accounts_pending ON bank_accounts (bank_account_id) WHERE status = 'PENDING';

        CREATE TABLE virtual_account_invoices (
            merchant_id     bigint        NOT NULL,
            invoice_id      bigint        NOT NULL,
            order_id        bigint        NOT NULL,
            invoice_number  text          NOT NULL,
            invoice_date    date          NOT NULL,
            currency        text          NOT NULL,
            scale           smallint      NOT NULL,
            amount          numeric(78,0) NOT NULL,
            -- Buyer, seller, items.
            sealed_content  bytea         NOT NULL,
            file_id         bigint        NOT NULL,
            status          text          NOT NULL,
            fail_reason     text,
            created_at      timestamptz   NOT NULL,
            updated_at      timestamptz   NOT NULL,
            PRIMARY KEY (merchant_id, invoice_id)
        );
        CREATE INDEX virtual_account_invoices_order ON virtual_account_invoices (merchant_id, order_id, invoice_id);
        CREATE INDEX virtual_account_invoices_open ON virtual_account_invoices (invoice_id) WHERE status = 'SUBMITTED';

        CREATE TABLE information_requests (
            merchant_id    bigint      NOT NULL,
            request_id     bigint      NOT NULL,
            account_id     bigint      NOT NULL,
            template       text        NOT NULL,
            question       text,
            status         text        NOT NULL,
            fail_reason    text,
            due_at         timestamptz NOT NULL,
            sealed_answers bytea,
            created_at     timestamptz NOT NULL,
            updated_at     timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, request_id)
        );
        CREATE INDEX information_requests_account ON information_requests (merchant_id, account_id, request_id);
        CREATE INDEX information_requests_open ON information_requests (request_id) WHERE status <> 'CLOSED';

        CREATE TABLE email_codes (
            merchant_id    bigint      NOT NULL,
            code_id        bigint      NOT NULL,
            scene          text        NOT NULL,
            address_digest bytea       NOT NULL,
            code_digest    bytea       NOT NULL,
            -- Address and code until the mail is handed over; nothing afterwards.
            sealed_mail    bytea,
            tries          integer     NOT NULL DEFAULT 0,
            used           boolean     NOT NULL DEFAULT false,
            expires_at     timestamptz NOT NULL,
            created_at     timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, code_id)
        );
        CREATE INDEX email_codes_address ON email_codes (merchant_id, address_digest, code_id);
        CREATE INDEX email_codes_unsent ON email_codes (code_id) WHERE sealed_mail IS NOT NULL;

        -- What a bank told and nobody here can be found for; merchant_id 0 while unknown.
        CREATE TABLE bank_exceptions (
            merchant_id    bigint      NOT NULL,
            exception_id   bigint      NOT NULL,
            source         text        NOT NULL,
            rail_reference text        NOT NULL,
            reason         text        NOT NULL,
            sealed_entry   bytea       NOT NULL,
            status         text        NOT NULL,
            created_at     timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, exception_id),
            UNIQUE (merchant_id, source, rail_reference, reason)
        );
        CREATE INDEX bank_exceptions_open ON bank_exceptions (exception_id) WHERE status = 'OPEN';
    """)
