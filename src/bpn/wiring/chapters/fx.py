"""How the fx chapter is built in."""

from __future__ import annotations

from contextlib import AsyncExitStack

from bpn.adapters.prices.coinmarketcap import CoinMarketCapPrices
from bpn.adapters.prices.ecb import EcbRates
from bpn.adapters.prices.static import StaticPrices
from bpn.api.route import Route, collect
from bpn.chapters.fx.jobs import RateJobs
from bpn.chapters.fx.routes import FxRoutes
from bpn.jobs.job import collect_jobs
from bpn.kernel.assets import FIAT_SCALES
from bpn.ports.readers import RateReader
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House


def fx_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(FxRoutes(house.fx_terms))


async def fx_work(house: House, closing: AsyncExitStack) -> Work:
    """The rates of every source."""
    sources = [_source(house, name, closing) for name in house.settings.sources_of_rates]
    return Work(collect_jobs(RateJobs(house.database.transaction, house.fx_terms, sources), "fx"))


def _source(house: House, name: str, closing: AsyncExitStack) -> RateReader:
    settings = house.settings
    if name == "STATIC":
        return StaticPrices(settings.static_rates, house.clock.wall)
    if name == "ECB":
        ecb = EcbRates(settings.ecb_url)
        closing.push_async_callback(ecb.close)
        return ecb
    key = settings.coinmarketcap_api_key
    live = CoinMarketCapPrices(
        "" if key is None else key.get_secret_value(), settings.coinmarketcap_url, fiat=frozenset(FIAT_SCALES)
    )
    closing.push_async_callback(live.close)
    return live
