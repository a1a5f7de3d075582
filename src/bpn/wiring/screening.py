"""Who is asked about a party: the lists that an installation has."""

from __future__ import annotations

from contextlib import AsyncExitStack

from bpn.adapters.screening.blocked import BlockedParties
from bpn.adapters.screening.lists import ListedParties
from bpn.adapters.screening.together import ScreeningTogether
from bpn.adapters.screening.watchman import Watchman
from bpn.ports.readers import ScreeningReader
from bpn.settings import Settings


def screening_reader(settings: Settings, closing: AsyncExitStack) -> ScreeningReader:
    """Every list that the settings name, asked together; `closing` gives connections back."""
    sources: list[ScreeningReader] = [BlockedParties(settings.blocked_addresses, settings.blocked_names)]
    if settings.sanctions_dir is not None:
        sources.append(ListedParties(settings.sanctions_dir, settings.screening_threshold))
    if settings.watchman_url is not None:
        watchman = Watchman(settings.watchman_url, settings.screening_threshold)
        closing.push_async_callback(watchman.close)
        sources.append(watchman)
    return ScreeningTogether(sources)
