"""The webhooks chapter's terms."""

from __future__ import annotations

from datetime import timedelta

from bpn.api.encoding import encode_json
from bpn.chapters.webhooks.model import WebhookTerms
from bpn.kernel.encryption import Cipher
from bpn.settings import Settings
from bpn.wiring.events.catalogue import event_sources


def webhook_terms(settings: Settings, cipher: Cipher) -> WebhookTerms:
    """From the settings and the list of all events."""
    return WebhookTerms(
        cipher=cipher,
        sources={source.fact.name: source for source in event_sources(settings.base_url)},
        encode=encode_json,
        allow_plain_http=settings.sandbox,
        retention=timedelta(days=settings.webhook_retention_days),
    )
