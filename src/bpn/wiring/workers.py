"""A worker: every job, with the adapters that act on the outside world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from bpn.adapters.prices.coinmarketcap import CoinMarketCapPrices
from bpn.adapters.prices.static import StaticPrices
from bpn.adapters.screening.blocked import BlockedParties
from bpn.adapters.signer.local import LocalSigner
from bpn.adapters.webhook.poster import HttpWebhookPoster
from bpn.api import replay
from bpn.chapters.wallet.jobs import ChainJobs, PriceJobs
from bpn.chapters.webhooks.jobs import WebhookJobs
from bpn.jobs.job import Job, collect_jobs
from bpn.jobs.relay import NAME as RELAY
from bpn.jobs.relay import Relay
from bpn.ledger import operations as ledger
from bpn.ports.readers import PriceReader
from bpn.wiring.chains import evm_chain
from bpn.wiring.house import House, wallet_seed


@asynccontextmanager
async def open_workers(house: House) -> AsyncIterator[list[Job]]:
    """The jobs of a worker process, registered with its queue; their adapters are closed in the end."""
    settings = house.settings
    poster = HttpWebhookPoster(allow_private_addresses=settings.sandbox)
    async with house.database.transaction() as tx:
        signer = LocalSigner(await wallet_seed(tx, house.cipher))
    webhook_jobs = WebhookJobs(house.database.transaction, house.webhook_terms, poster, house.clock)
    jobs = [*_house_jobs(house), *webhook_jobs.jobs()]
    chains = {name: evm_chain(house, name) for name in settings.chains}
    screening = BlockedParties(settings.blocked_addresses, settings.blocked_names)
    for name, chain in chains.items():
        network = house.wallet_terms.networks[name]
        chain_jobs = ChainJobs(
            house.database.transaction, house.wallet_terms, network, chain, chain, signer, screening, house.clock
        )
        jobs += collect_jobs(chain_jobs, "wallet", name)
    prices = _price_source(house)
    currencies = list(house.wallet_terms.currency_names)
    jobs += collect_jobs(PriceJobs(house.database.transaction, currencies, prices), "wallet")
    relay = Relay(house.database.transaction, [webhook_jobs.listener()], jobs, house.jobs.nudge)
    jobs.append(Job(RELAY, relay.run, 1, frozenset()))
    house.jobs.register(jobs)
    try:
        yield jobs
    finally:
        await webhook_jobs.settle()
        await poster.close()
        for chain in chains.values():
            await chain.close()


def _house_jobs(house: House) -> list[Job]:
    """The jobs that belong to no chapter."""

    async def seal_ledger() -> bool:
        async with house.database.transaction() as tx:
            return await ledger.seal(tx) > 0

    async def forget_signatures() -> bool:
        async with house.database.transaction() as tx:
            await replay.forget_old(tx, house.settings.signature_window_seconds)
        return False

    return [
        Job("ledger.seal", seal_ledger, 5, frozenset()),
        Job("api.forget_signatures", forget_signatures, 60, frozenset()),
    ]


def _price_source(house: House) -> PriceReader:
    settings = house.settings
    if settings.coinmarketcap_api_key is None:
        return StaticPrices(dict.fromkeys(house.wallet_terms.currency_names, Decimal(1)), house.clock.wall)
    return CoinMarketCapPrices(settings.coinmarketcap_api_key.get_secret_value(), settings.coinmarketcap_url)
