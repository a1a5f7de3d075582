"""The orders chapter's terms."""

from __future__ import annotations

from datetime import timedelta

from bpn.banking.supported_accounts import supported_accounts
from bpn.chapters.accounts.model import AccountTerms
from bpn.chapters.fx.model import FxTerms
from bpn.chapters.orders.model import OrderTerms
from bpn.chapters.wallet.model import WalletTerms
from bpn.controls.operations import Controls
from bpn.kernel.assets import Assets, fiat_assets
from bpn.settings import Settings


def order_terms(
    settings: Settings, controls: Controls, accounts: AccountTerms, wallet: WalletTerms, fx: FxTerms
) -> OrderTerms:
    """From the settings and the terms of the chapters below: every token, and every fiat currency with accounts."""
    offered = {account.currency for account in supported_accounts()}
    fiat = [asset for asset in fiat_assets() if asset.currency in offered]
    tokens = [token.asset for network in wallet.networks.values() for token in network.tokens.values()]
    return OrderTerms(
        assets=Assets([*tokens, *fiat]),
        accounts=accounts,
        wallet=wallet,
        fx=fx,
        controls=controls,
        quote_lifetime=timedelta(seconds=settings.quote_lifetime_seconds),
        exposure_limit_usd=settings.open_quotes_usd,
        price_tolerance_bps=settings.price_tolerance_bps,
        guard_bps=settings.pool_guard_bps,
        fee_bps=settings.order_fee_bps,
    )
