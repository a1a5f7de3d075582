"""The languages of pages: which there are, which one a reader wants, and catalogues of messages as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel.core import Locale
from babel.dates import format_datetime
from babel.numbers import format_currency
from markupsafe import Markup, escape

DEFAULT = "en"
LANGUAGES: Mapping[str, str] = {"en": "English", "pt-BR": "Português", "es": "Español", "zh": "中文"}
"""By code, each in its own words; the order of the switch."""


class MissingMessageError(LookupError):
    """A template asks for a message that the catalogue lacks."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language with its messages."""

    code: str
    locale: Locale
    messages: Mapping[str, str]

    def say(self, key: str, **values: object) -> Markup:
        """The message of a key; what its `{places}` are filled with is escaped unless it is markup already.

        Raises:
            MissingMessageError: the catalogue has no such key.
        """
        if key not in self.messages:
            raise MissingMessageError(f"{self.code}: {key}")
        return Markup(escape(self.messages[key])).format(**values)  # noqa: S704 - the text is escaped on the same line

    def fiat(self, amount: Decimal, currency: str) -> str:
        """An amount of a national currency as this language writes it: `R$ 1.250,00`."""
        return str(format_currency(amount, currency, locale=self.locale))

    def time(self, time: datetime) -> str:
        """A time as this language writes it, in UTC: scripts show it in the reader's own zone."""
        return f"{format_datetime(time, 'medium', locale=self.locale)} UTC"


def load_languages(folders: Sequence[Path]) -> dict[str, Language]:
    """Every language with the messages of all these folders; a later folder's message replaces an earlier one's."""
    return {
        code: Language(
            code,
            Locale.parse(code, sep="-"),
            {key: text for folder in folders for key, text in _flat(_read(folder / f"{code}.toml")).items()},
        )
        for code in LANGUAGES
    }


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """`{"pay": {"title": "…"}}` as `{"pay.title": "…"}`."""
    flat: dict[str, str] = {}
    for name, value in table.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def choose_language(asked: str | None, kept: str | None, accepted: str) -> str:
    """The language for a reader.

    Args:
        asked: what the address says (`?lang=`), if anything.
        kept: what was chosen on this device before, if anything.
        accepted: the browser's `Accept-Language`.
    """
    for choice in (asked, kept):
        if choice in LANGUAGES:
            return str(choice)
    for tag in _by_preference(accepted):
        for code in LANGUAGES:
            if tag.split("-")[0] == code.split("-")[0].lower():
                return code
    return DEFAULT


_LONGEST_ACCEPTED = 256


def _by_preference(accepted: str) -> list[str]:
    """The tags of an `Accept-Language`, best first; what cannot be read counts least."""
    weighed = []
    for place, part in enumerate(accepted[:_LONGEST_ACCEPTED].lower().split(",")):
        tag, _, quality = part.strip().partition(";q=")
        weight = Decimal(quality) if quality.replace(".", "", 1).isdecimal() else Decimal(0 if quality else 1)
        if tag and weight > 0:
            weighed.append((-weight, place, tag))
    return [tag for _, _, tag in sorted(weighed)]
