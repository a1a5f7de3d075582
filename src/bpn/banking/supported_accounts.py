"""Which virtual accounts can be had: currencies, countries, rails, limits, cut-off times, what must be known first."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pycountry

from bpn.kernel.assets import Asset

_SCALES = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
)
_SCALES |= dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
_USUAL_SCALE = 2


@dataclass(frozen=True, slots=True)
class SupportedRail:
    """A rail of an account. Limits of one payment, whole units as decimals; `cut_off` is local to `timezone`."""

    rail: str
    minimum: str
    maximum: str
    hours: str | None
    cut_off: str | None
    timezone: str | None
    settlement: str


@dataclass(frozen=True, slots=True)
class SupportedAccount:
    """A kind of virtual account. `rails` has the default one first."""

    currency: str
    country: str
    rails: tuple[SupportedRail, ...]
    account_sub_types: tuple[str, ...]
    pix_key_types: tuple[str, ...]
    individual_fields: tuple[str, ...]
    corporate_fields: tuple[str, ...]

    @property
    def default_rail(self) -> str:
        """The rail where a request names none."""
        return self.rails[0].rail


@functools.cache
def supported_accounts() -> tuple[SupportedAccount, ...]:
    """All kinds of account, the default country of a currency first."""
    data = tomllib.loads(files("bpn.banking").joinpath("supported_accounts.toml").read_text(encoding="utf-8"))
    return tuple(_account(entry, data) for entry in data["account"])


def find_supported_account(currency: str, country: str | None = None) -> SupportedAccount | None:
    """The kind of account of a currency, in a country or in its default one; None when not offered."""
    return next(
        (one for one in supported_accounts() if one.currency == currency and country in {None, one.country}), None
    )


def fiat_asset(currency: str) -> Asset | None:
    """A currency as an asset with its ISO 4217 decimals; None for what is no currency in use."""
    known = pycountry.currencies.get(alpha_3=currency)
    return None if known is None else Asset(currency, None, _SCALES.get(currency, _USUAL_SCALE))


def _account(entry: Mapping[str, Any], data: Mapping[str, Any]) -> SupportedAccount:
    return SupportedAccount(
        entry["currency"],
        entry["country"],
        tuple(_rail(rail, data["rails"][rail["rail"]]) for rail in entry["rails"]),
        tuple(entry.get("account_sub_types", ("STATIC",))),
        tuple(entry.get("pix_key_types", ())),
        tuple(data["kyb"]["individual"]),
        tuple(data["kyb"]["corporate"]),
    )


def _rail(entry: Mapping[str, Any], usual: Mapping[str, Any]) -> SupportedRail:
    told = {**usual, **entry}
    return SupportedRail(
        told["rail"],
        told["minimum"],
        told["maximum"],
        told.get("hours"),
        told.get("cut_off"),
        told.get("timezone"),
        told["settlement"],
    )
