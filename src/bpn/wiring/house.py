"""The parts that every process of an installation has."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from bpn.adapters.postgres.embedded import EmbeddedPostgres, binaries
from bpn.adapters.signer.derivation import account_extended_public_key
from bpn.api.credentials import Credentials
from bpn.api.pages.watchers import Watchers
from bpn.chapters.accounts.model import AccountTerms
from bpn.chapters.fx.model import FxTerms
from bpn.chapters.kyb.model import KybTerms
from bpn.chapters.orders.model import OrderTerms
from bpn.chapters.payment_links.model import LinkTerms
from bpn.chapters.provider.model import ProviderTerms
from bpn.chapters.wallet.model import WalletTerms
from bpn.chapters.webhooks.model import WebhookTerms
from bpn.controls.operations import CONTROLS_CHANGED, Controls
from bpn.database import sealed_secrets
from bpn.database.business_clock import CLOCK_MOVED, read_offset
from bpn.database.notices import Notices
from bpn.database.page_notices import PAGE_CHANGED
from bpn.database.pool import Database, Transaction
from bpn.database.sealed_columns import MASTER_KEY_CHANGED
from bpn.files.model import FileTerms
from bpn.jobs.application import JobApplication
from bpn.kernel.assets import Assets, fiat_assets
from bpn.kernel.clock import Clock
from bpn.kernel.encryption import Cipher
from bpn.kernel.ids import Ids
from bpn.ledger import operations as ledger
from bpn.merchants import operations as merchants
from bpn.ports.senders import FileStore, Mailer
from bpn.settings import Settings
from bpn.wiring.bank import Bank, open_bank
from bpn.wiring.files import file_store
from bpn.wiring.mail import mailer
from bpn.wiring.master_keys import read_master_keys
from bpn.wiring.terms.accounts import account_terms
from bpn.wiring.terms.fx import fx_terms
from bpn.wiring.terms.kyb import kyb_terms
from bpn.wiring.terms.orders import order_terms
from bpn.wiring.terms.payment_links import link_terms
from bpn.wiring.terms.provider import provider_terms
from bpn.wiring.terms.wallet import wallet_terms
from bpn.wiring.terms.webhooks import webhook_terms

log = structlog.get_logger(__name__)

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
    controls: Controls
    jobs: JobApplication
    bank: Bank | None
    files: FileStore
    mailer: Mailer | None
    file_terms: FileTerms
    fx_terms: FxTerms
    wallet_terms: WalletTerms
    kyb_terms: KybTerms
    webhook_terms: WebhookTerms
    account_terms: AccountTerms
    order_terms: OrderTerms
    provider_terms: ProviderTerms
    link_terms: LinkTerms
    watchers: Watchers


@asynccontextmanager
async def open_house(
    settings: Settings, database_url: str, *, chain_url: str | None = None, clock: Clock | None = None
) -> AsyncIterator[House]:
    """Connect everything that a process needs, and take it down in the end.

    Args:
        settings: the installation's options.
        database_url: a migrated database.
        chain_url: base URL of the sandbox's chains; None where no network is simulated.
        clock: what tells the time; the machine's own when absent.
    """
    clock = clock or Clock()
    cipher = Cipher(*read_master_keys(settings), reread=lambda: read_master_keys(settings))
    credentials: Credentials | None = None

    async def credentials_changed(payload: str) -> None:
        if credentials is not None:
            await credentials.forget(payload)

    async def clock_moved(_payload: str) -> None:
        async with database.reading() as tx:
            clock.offset = await read_offset(tx)

    async def controls_changed(payload: str) -> None:
        await controls.refresh(payload)

    async def master_key_changed(_payload: str) -> None:
        cipher.renew()

    watchers = Watchers(settings.largest_watchers)
    handlers = {
        merchants.CREDENTIALS_CHANGED: credentials_changed,
        CLOCK_MOVED: clock_moved,
        CONTROLS_CHANGED: controls_changed,
        PAGE_CHANGED: watchers.hear,
        MASTER_KEY_CHANGED: master_key_changed,
    }
    notices = Notices(database_url, handlers)
    database = Database(
        database_url,
        clock,
        Ids(lambda: notices.node),
        connections=settings.database_connections,
        lock_timeout_seconds=settings.lock_timeout_seconds,
    )
    credentials = Credentials(database, cipher, lambda: notices.connected)
    controls = Controls(database, lambda: notices.connected)
    jobs = JobApplication(database_url)
    await database.open()
    await notices.open()
    await jobs.open()
    try:
        async with database.transaction() as tx:
            # Made from the first master key once, and kept through every change of it.
            cipher.digest_key = await sealed_secrets.find_or_create(tx, cipher, "digest_key", lambda: cipher.digest_key)
            public_key = await _account_public_key(tx, cipher, settings)
            rates = fx_terms(settings)
            terms = wallet_terms(settings, cipher, public_key, controls, rates)
            await ledger.register_assets(tx, Assets([*terms.assets, *fiat_assets()]))
        async with open_bank(settings, database_url, clock) as bank:
            fiat_terms = account_terms(
                settings, cipher, controls, FileTerms(cipher), "NONE" if bank is None else bank.reader.source
            )
            market_terms = order_terms(settings, controls, fiat_terms, terms, rates)
            yield House(
                settings=settings,
                database_url=database_url,
                chain_url=chain_url,
                database=database,
                notices=notices,
                clock=clock,
                cipher=cipher,
                credentials=credentials,
                controls=controls,
                jobs=jobs,
                bank=bank,
                files=file_store(settings),
                mailer=mailer(settings, clock),
                file_terms=FileTerms(cipher),
                fx_terms=rates,
                wallet_terms=terms,
                kyb_terms=kyb_terms(settings, cipher),
                link_terms=link_terms(settings, cipher, terms),
                watchers=watchers,
                webhook_terms=webhook_terms(settings, cipher),
                account_terms=fiat_terms,
                order_terms=market_terms,
                provider_terms=provider_terms(settings, market_terms),
            )
    finally:
        await jobs.close()
        await notices.close()
        await database.close()


async def wallet_seed(tx: Transaction, cipher: Cipher) -> bytes:
    """The seed of all wallet keys, made at the first start. Only a worker asks for it."""
    return await sealed_secrets.find_or_create(tx, cipher, "wallet_seed", lambda: secrets.token_bytes(_SEED_BYTES))


async def _account_public_key(tx: Transaction, cipher: Cipher, settings: Settings) -> str:
    """What addresses derive from: the remote signer's account, else the seed's; the same as ever."""
    given = settings.account_public_key
    known = await sealed_secrets.find(tx, cipher, "wallet_account_public_key")
    if known is None:
        public_key = (given or account_extended_public_key(await wallet_seed(tx, cipher))).encode()
        known = await sealed_secrets.find_or_create(tx, cipher, "wallet_account_public_key", lambda: public_key)
    if given is not None and known.decode() != given:
        raise AccountMismatchError("BPN_ACCOUNT_PUBLIC_KEY is not the account that addresses were derived from before")
    return known.decode()


class AccountMismatchError(Exception):
    """The keys configured are not those of the addresses that money was sent to."""


def embedded_postgres(settings: Settings, progress: Callable[[str], None]) -> EmbeddedPostgres:
    """The embedded database server of the data directory."""
    return EmbeddedPostgres(settings.data_dir, progress)


def postgres_program(name: str) -> Path:
    """A program that comes with the embedded database, such as `pgbench`."""
    return binaries() / name
