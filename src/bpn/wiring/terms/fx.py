"""The fx chapter's terms."""

from __future__ import annotations

from datetime import timedelta

from bpn.chapters.fx.model import FxTerms
from bpn.kernel.assets import FIAT_SCALES
from bpn.settings import Settings


def fx_terms(settings: Settings) -> FxTerms:
    """From the settings: every fiat currency known, every stablecoin and every native coin of the networks."""
    stablecoins = dict.fromkeys(currency for chain in settings.chains.values() for currency in chain.tokens)
    coins = dict.fromkeys(chain.native_currency for chain in settings.chains.values())
    live = timedelta(seconds=settings.price_lifetime_seconds)
    daily = timedelta(seconds=settings.daily_rate_lifetime_seconds)
    return FxTerms(
        currencies=tuple(dict.fromkeys([*stablecoins, *FIAT_SCALES, *coins])),
        lifetimes={source: daily if source == "ECB" else live for source in settings.sources_of_rates},
        largest_jump_bps=settings.largest_rate_jump_bps,
        spread_bps=settings.spread_bps,
    )
