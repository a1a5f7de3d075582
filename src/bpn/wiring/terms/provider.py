"""The provider chapter's terms."""

from __future__ import annotations

from datetime import timedelta

from bpn.chapters.orders.model import OrderTerms
from bpn.chapters.provider.model import ProviderTerms
from bpn.settings import Settings


def provider_terms(settings: Settings, orders: OrderTerms) -> ProviderTerms:
    """From the settings and the terms of the chapters below."""
    return ProviderTerms(
        wallet=orders.wallet,
        accounts=orders.accounts,
        orders=orders,
        base_url=settings.base_url,
        needs_approval=settings.sub_user_kyb,
        link_lifetime=timedelta(days=settings.collection_link_days),
        accept_within=timedelta(seconds=settings.collection_accept_seconds),
    )
