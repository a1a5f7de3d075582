"""The payment links chapter's terms."""

from __future__ import annotations

from datetime import timedelta

from bpn.chapters.payment_links.model import LinkTerms
from bpn.chapters.wallet.model import WalletTerms
from bpn.kernel.encryption import Cipher
from bpn.settings import Settings


def link_terms(settings: Settings, cipher: Cipher, wallet: WalletTerms) -> LinkTerms:
    """From the settings, and the networks that the wallet chapter knows."""
    return LinkTerms(wallet, settings.base_url, timedelta(seconds=settings.link_price_seconds), cipher)
