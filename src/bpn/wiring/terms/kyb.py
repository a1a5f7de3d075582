"""The KYB chapter's terms."""

from __future__ import annotations

from bpn.chapters.kyb.model import KybTerms
from bpn.files.model import FileTerms
from bpn.kernel.encryption import Cipher
from bpn.settings import Settings


def kyb_terms(settings: Settings, cipher: Cipher) -> KybTerms:
    """From the settings."""
    return KybTerms(cipher, FileTerms(cipher), automatic=settings.kyb_decides_by_rule)
