"""The parts that every process of an installation has."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import structlog

from bpn.adapters.chain.sandbox.tokens import CONTRACTS
from bpn.adapters.postgres.embedded import EmbeddedPostgres, binaries
from bpn.adapters.signer.derivation import account_extended_public_key
from bpn.api.credentials import Credentials
from bpn.api.encoding import encode_json
from bpn.chapters.wallet import model as wallet_model
from bpn.chapters.wallet import rules as wallet_rules
from bpn.chapters.webhooks.model import WebhookTerms
from bpn.database import sealed_secrets
from bpn.database.business_clock import CLOCK_MOVED, read_offset
from bpn.database.notices import Notices
from bpn.database.pool import Database, Transaction
from bpn.jobs.application import JobApplication
from bpn.kernel.assets import Asset
from bpn.kernel.clock import Clock
from bpn.kernel.encryption import MASTER_KEY_BYTES, Cipher
from bpn.kernel.ids import Ids
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.merchants import operations as merchants
from bpn.settings import ChainSettings, Settings, TokenSettings
from bpn.wiring.events import event_sources

log = structlog.get_logger(__name__)

CURRENCY_NAMES = {"USDT": "USD Tether", "USDC": "USD Coin"}
NATIVE_SCALE = 18
_SEED_BYTES = 64


@dataclass(frozen=True, slots=True)
class House:
    """The parts that every process of an installation has."""

    settings: Settings
    database_url: str
    chain_url: str | None
    database: Database
    notices: Notices
    clock: Clock
    cipher: Cipher
    credentials: Credentials
    jobs: JobApplication
    wallet_terms: wallet_model.WalletTerms
    webhook_terms: WebhookTerms


@asynccontextmanager
async def open_house(settings: Settings, database_url: str, *, chain_url: str | None = None) -> AsyncIterator[House]:
    """Connect everything that a process needs, and take it down in the end.

    Args:
        settings: the installation's options.
        database_url: a migrated database.
        chain_url: base URL of the sandbox's chains; None where no network is simulated.
    """
    clock = Clock()
    cipher = Cipher(read_master_key(settings))
    credentials: Credentials | None = None

    async def credentials_changed(payload: str) -> None:
        if credentials is not None:
            await credentials.forget(payload)

    async def clock_moved(_payload: str) -> None:
        async with database.reading() as tx:
            clock.offset = await read_offset(tx)

    handlers = {merchants.CREDENTIALS_CHANGED: credentials_changed, CLOCK_MOVED: clock_moved}
    notices = Notices(database_url, handlers)
    database = Database(
        database_url,
        clock,
        Ids(lambda: notices.node),
        connections=settings.database_connections,
        lock_timeout_seconds=settings.lock_timeout_seconds,
    )
    credentials = Credentials(database, cipher, lambda: notices.connected)
    jobs = JobApplication(database_url)
    await database.open()
    await notices.open()
    await jobs.open()
    try:
        async with database.transaction() as tx:
            terms = _wallet_terms(settings, cipher, await _account_public_key(tx, cipher))
            await ledger.register_assets(tx, terms.assets)
        webhook_terms = _webhook_terms(settings, cipher)
        yield House(
            settings, database_url, chain_url, database, notices, clock, cipher, credentials, jobs, terms, webhook_terms
        )
    finally:
        await jobs.close()
        await notices.close()
        await database.close()


def read_master_key(settings: Settings) -> bytes:
    """The key that seals all secrets: from the settings, else from the data directory, made there once."""
    if settings.master_key is not None:
        return bytes.fromhex(settings.master_key.get_secret_value())
    path = settings.data_dir / "master.key"
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text(secrets.token_hex(MASTER_KEY_BYTES))
        try:
            os.link(temporary, path)
        except FileExistsError:
            log.debug("master_key.made_by_another_process")
        temporary.unlink()
    return bytes.fromhex(path.read_text().strip())


async def wallet_seed(tx: Transaction, cipher: Cipher) -> bytes:
    """The seed of all wallet keys, made at the first start. Only a worker asks for it."""
    return await sealed_secrets.find_or_create(tx, cipher, "wallet_seed", lambda: secrets.token_bytes(_SEED_BYTES))


async def _account_public_key(tx: Transaction, cipher: Cipher) -> str:
    known = await sealed_secrets.find(tx, cipher, "wallet_account_public_key")
    if known is None:
        public_key = account_extended_public_key(await wallet_seed(tx, cipher)).encode()
        known = await sealed_secrets.find_or_create(tx, cipher, "wallet_account_public_key", lambda: public_key)
    return known.decode()


def _wallet_terms(settings: Settings, cipher: Cipher, account_public_key: str) -> wallet_model.WalletTerms:
    networks = {name: _network(name, chain) for name, chain in settings.chains.items()}
    currencies = dict.fromkeys(currency for network in networks.values() for currency in network.tokens)
    return wallet_model.WalletTerms(
        networks=networks,
        home_network="BSC" if "BSC" in networks else next(iter(networks)),
        currency_names={currency: CURRENCY_NAMES.get(currency, currency) for currency in currencies},
        account_public_key=account_public_key,
        hot_address=wallet_rules.derive_address(account_public_key, wallet_rules.HOT_KEY_INDEX),
        review_above=settings.review_above,
        second_person_above=settings.second_person_above,
        whitelist_needs_approval=settings.whitelist_approval,
        whitelist_cooling=settings.whitelist_cooling,
        sender_deadline=timedelta(seconds=settings.sender_deadline_seconds),
        price_lifetime=timedelta(seconds=settings.price_lifetime_seconds),
        cipher=cipher,
    )


def _network(name: str, chain: ChainSettings) -> wallet_model.Network:
    contracts = CONTRACTS if chain.rpc_url is None else {}
    return wallet_model.Network(
        name=name,
        chain_id=chain.chain_id,
        native=Asset(chain.native_currency, name, NATIVE_SCALE),
        confirmations=chain.confirmations,
        block_seconds=chain.block_seconds,
        explorer_url=chain.explorer_url,
        tokens={
            currency: _token(Asset(currency, name, token.scale), token, contracts.get(currency, token.contract))
            for currency, token in chain.tokens.items()
        },
    )


def _token(asset: Asset, token: TokenSettings, contract: str) -> wallet_model.Token:
    def amount(value: Decimal) -> Money:
        return Money.parse(format(value, "f"), asset)

    return wallet_model.Token(
        asset,
        contract,
        amount(token.minimum_deposit),
        amount(token.minimum_withdrawal),
        amount(token.withdrawal_fee),
        token.deposits_enabled,
        token.withdrawals_enabled,
    )


def _webhook_terms(settings: Settings, cipher: Cipher) -> WebhookTerms:
    return WebhookTerms(
        cipher=cipher,
        sources={source.fact.name: source for source in event_sources()},
        encode=encode_json,
        allow_plain_http=settings.sandbox,
        retention=timedelta(days=settings.webhook_retention_days),
    )


def embedded_postgres(settings: Settings, progress: Callable[[str], None]) -> EmbeddedPostgres:
    """The embedded database server of the data directory."""
    return EmbeddedPostgres(settings.data_dir, progress)


def postgres_program(name: str) -> Path:
    """A program that comes with the embedded database, such as `pgbench`."""
    return binaries() / name
