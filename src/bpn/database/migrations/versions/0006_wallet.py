"""The wallet chapter: wallets, addresses, transactions, deposits, whitelist, withdrawals, what we know of chains."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the wallet chapter's tables."""
    op.execute("""
        CREATE SEQUENCE wallet_address_indexes AS integer START 1;

        CREATE TABLE wallets (
            merchant_id      bigint      NOT NULL,
            wallet_id        bigint      NOT NULL,
            wallet_type      text        NOT NULL CHECK (wallet_type IN ('primary', 'sub', 'collection_sub')),
            name             text        NOT NULL,
            merchant_user_id text,
            address_index    integer     NOT NULL,
            created_at       timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, wallet_id),
            UNIQUE (merchant_id, name)
        );
        CREATE UNIQUE INDEX wallets_primary ON wallets (merchant_id) WHERE wallet_type = 'primary';

        CREATE TABLE wallet_addresses (
            merchant_id bigint      NOT NULL,
            wallet_id   bigint      NOT NULL,
            network     text        NOT NULL,
            currency    text        NOT NULL,
            address     text        NOT NULL,
            created_at  timestamptz NOT NULL,
            PRIMARY KEY (merchant_id, wallet_id, network, currency)
        );
        CREATE INDEX wallet_addresses_address ON wallet_addresses (merchant_id, network, address);

        CREATE TABLE wallet_transactions (
            merchant_id             bigint        NOT NULL,
            transaction_id          bigint        NOT NULL,
            transaction_type        text          NOT NULL,
            merchant_transaction_id text,
            wallet_id               bigint        NOT NULL,
            counter_wallet_id       bigint,
            merchant_user_id        text,
            currency                text          NOT NULL,
            network                 text          NOT NULL,
            scale                   smallint      NOT NULL,
            amount                  numeric(78,0) NOT NULL,
            fee                     numeric(78,0) NOT NULL,
            status                  text          NOT NULL,
            from_address            text,
            to_address              text,
            hash                    text,
            block_number            bigint,
            required_confirmations  integer       NOT NULL DEFAULT 0,
            remark                  text,
            fail_reason             text,
            created_at              timestamptz   NOT NULL,
            updated_at              timestamptz   NOT NULL,
            completed_at            timestamptz,
            PRIMARY KEY (merchant_id, transaction_id)
        ) WITH (fillfactor = 90);
        CREATE UNIQUE INDEX wallet_transactions_reference
            ON wallet_transactions (merchant_id, transaction_type, merchant_transaction_id)
            WHERE merchant_transaction_id IS NOT NULL;
        CREATE INDEX wallet_transactions_wallet ON wallet_transactions (merchant_id, wallet_id, transaction_id);
        CREATE INDEX wallet_transactions_counter_wallet
            ON wallet_transactions (merchant_id, counter_wallet_id, transaction_id)
            WHERE counter_wallet_id IS NOT NULL;
        CREATE INDEX wallet_transactions_hash ON wallet_transactions (merchant_id, hash) WHERE hash IS NOT NULL;
        CREATE INDEX wallet_transactions_open ON wallet_transactions (transaction_type, network, status, transaction_id)
            WHERE completed_at IS NULL;

        CREATE INDEX wallet_transactions_confirming ON wallet_transactions (merchant_id, wallet_id)
            WHERE status = 'CONFIRMING' AND transaction_type = 'DEPOSIT';

        CREATE TABLE wallet_deposits (
            merchant_id     bigint      NOT NULL,
            transaction_id  bigint      NOT NULL,
            network         text        NOT NULL,
            hash            text        NOT NULL,
            log_index       integer     NOT NULL,
            block_hash      text        NOT NULL,
            contract        text        NOT NULL,
            sender_deadline timestamptz,
            sender_digest   bytea,
            sealed_sender   bytea,
            PRIMARY KEY (merchant_id, transaction_id),
            UNIQUE (merchant_id, network, hash, log_index)
        );

        CREATE TABLE wallet_whitelist (
            merchant_id  bigint      NOT NULL,
            whitelist_id bigint      NOT NULL,
            currency     text        NOT NULL,
            network      text        NOT NULL,
            address      text        NOT NULL,
            tag          text,
            alias        text        NOT NULL,
            address_type smallint    NOT NULL,
            sealed_beneficiary bytea NOT NULL,
            status       text        NOT NULL,
            fail_reason  text,
            available_at timestamptz NOT NULL,
            created_at   timestamptz NOT NULL,
            deleted_at   timestamptz,
            PRIMARY KEY (merchant_id, whitelist_id)
        );
        CREATE UNIQUE INDEX wallet_whitelist_address ON wallet_whitelist (merchant_id, network, currency, address)
            WHERE deleted_at IS NULL AND status <> 'REJECTED';

        CREATE TABLE wallet_withdrawals (
            merchant_id    bigint NOT NULL,
            transaction_id bigint NOT NULL,
            network        text   NOT NULL,
            amount_hold_id bigint NOT NULL,
            fee_hold_id    bigint,
            -- Not yet given to the hot wallet's queue.
            unsent         boolean NOT NULL DEFAULT false,
            PRIMARY KEY (merchant_id, transaction_id)
        );
        CREATE INDEX wallet_withdrawals_unsent ON wallet_withdrawals (network, transaction_id) WHERE unsent;

        -- Chain-scoped: what a network's hot wallet has sent, by nonce.
        CREATE TABLE wallet_outgoing (
            network         text          NOT NULL,
            nonce           bigint        NOT NULL,
            merchant_id     bigint        NOT NULL,
            transaction_id  bigint        NOT NULL,
            contract        text          NOT NULL,
            recipient       text          NOT NULL,
            amount          numeric(78,0) NOT NULL,
            gas_limit       bigint        NOT NULL,
            max_fee         numeric(78,0) NOT NULL,
            priority_fee    numeric(78,0) NOT NULL,
            raw             bytea,
            hash            text,
            state           text          NOT NULL
                            CHECK (state IN ('prepared', 'signed', 'broadcast', 'mined', 'settled')),
            block_number    bigint,
            broadcast_at    timestamptz,
            PRIMARY KEY (network, nonce),
            UNIQUE (network, transaction_id)
        );
        CREATE INDEX wallet_outgoing_open ON wallet_outgoing (network, nonce) WHERE state <> 'settled';

        -- Chain-scoped: how far each network has been read, and the blocks near its head, to notice a reorg.
        CREATE TABLE wallet_chains (
            network     text        PRIMARY KEY,
            next_block  bigint      NOT NULL,
            head_number bigint      NOT NULL,
            head_time   timestamptz NOT NULL,
            read_at     timestamptz NOT NULL,
            next_nonce  bigint
        );
        CREATE TABLE wallet_chain_blocks (
            network text   NOT NULL,
            number  bigint NOT NULL,
            hash    text   NOT NULL,
            PRIMARY KEY (network, number)
        );

        -- Shared: the newest USD price of each currency.
        CREATE TABLE wallet_prices (
            currency   text        PRIMARY KEY,
            usd        numeric     NOT NULL CHECK (usd > 0),
            price_time timestamptz NOT NULL,
            source     text        NOT NULL
        );
    """)
