"""Pure decisions about controls: which holds, what a fee comes to, what a setting's words mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import TypeVar, cast

from bpn.controls.errors import LimitExceeded, ServicePaused
from bpn.controls.model import (
    ALL_MERCHANTS,
    MERCHANT_SETTINGS,
    FeeTerms,
    Kind,
    Limit,
    MerchantSetting,
    Operation,
    Pause,
    Scope,
    Version,
)
from bpn.kernel.assets import Asset
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.kernel.money import Money, format_decimal

Value = TypeVar("Value")
_Key = tuple[Kind, str, Scope]
_BPS = 10_000
_PLAIN_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
_LARGEST = Decimal(10) ** 40
_NAMES = ("flat", "bps", "minimum", "maximum", "per_transaction", "per_day", "paused", "value")
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


class ControlsView:
    """The controls as they hold at one moment. Answers at once: nothing is read."""

    def __init__(self, versions: Mapping[_Key, tuple[Version, ...]], pauses: Iterable[_Key], now: datetime) -> None:
        self._versions = versions
        self._now = now
        self._pauses = [
            Pause(Operation(name) if name else None, scope)
            for kind, name, scope in pauses
            if self.value(kind, name, scope) is not None
        ]

    def value(self, kind: Kind, name: str, scope: Scope) -> Mapping[str, str | None] | None:
        """What holds for exactly this scope; None where nothing does, or it was taken back."""
        for version in reversed(self._versions.get((kind, name, scope), ())):
            if version.valid_from <= self._now:
                return version.value
        return None

    def in_force(self) -> list[Version]:
        """All versions that hold now, by kind, name and scope."""
        found = [
            next((version for version in reversed(versions) if version.valid_from <= self._now), None)
            for versions in self._versions.values()
        ]
        living = [version for version in found if version is not None and version.value is not None]
        return sorted(living, key=lambda v: (v.kind, v.name, str(v.scope)))

    def require_running(self, merchant_id: int, operation: Operation, asset: Asset | None) -> None:
        """Raise ServicePaused when the merchant, the operation, the currency or the network is switched off."""
        pause = self._pause(merchant_id, operation, asset)
        if pause is not None:
            what = pause.operation or "every operation"
            raise ServicePaused(f"Paused by the operator: {what} in {pause.scope}.")

    def is_running(self, merchant_id: int, operation: Operation, asset: Asset | None) -> bool:
        """Whether `require_running` would let it pass."""
        return self._pause(merchant_id, operation, asset) is None

    def _pause(self, merchant_id: int, operation: Operation, asset: Asset | None) -> Pause | None:
        for pause in self._pauses:
            scope = pause.scope
            if (
                pause.operation in {None, operation}
                and scope.merchant_id in {ALL_MERCHANTS, merchant_id}
                and scope.currency in {None, asset.currency if asset else None}
                and scope.network in {None, asset.network if asset else None}
            ):
                return pause
        return None

    def fee_terms(self, merchant_id: int, operation: Operation, asset: Asset) -> FeeTerms | None:
        """The most specific terms of an operation's fee, None where the operator has set none."""
        found = self._most_specific(Kind.FEE, operation, merchant_id, asset)
        return None if found is None else fee_of(found[1])

    def fee(self, merchant_id: int, operation: Operation, amount: Money, default: FeeTerms | None = None) -> Money:
        """The fee of an operation; by `default` where the operator has set none, nothing without one."""
        terms = self.fee_terms(merchant_id, operation, amount.asset) or default
        return Money.zero(amount.asset) if terms is None else charge(terms, amount)

    def limit(self, merchant_id: int, operation: Operation, asset: Asset) -> tuple[Limit, Scope] | None:
        """The most specific limit of an operation, and the scope whose use counts against it."""
        found = self._most_specific(Kind.LIMIT, operation, merchant_id, asset)
        if found is None:
            return None
        scope, value = found
        return limit_of(value), Scope(merchant_id, asset.currency, asset.network if scope.network else None)

    def merchant_setting(self, merchant_id: int, setting: MerchantSetting[Value]) -> Value:
        """What holds for a merchant: set for it, else for all merchants, else the default."""
        for scope in (Scope(merchant_id), Scope()):
            value = self.value(Kind.SETTING, setting.name, scope)
            if value is not None:
                return parse_setting(setting, value["value"] or "")
        return setting.default

    def _most_specific(
        self, kind: Kind, operation: Operation, merchant_id: int, asset: Asset
    ) -> tuple[Scope, Mapping[str, str | None]] | None:
        for scope in scopes(merchant_id, asset):
            value = self.value(kind, operation, scope)
            if value is not None:
                return scope, value
        return None


class Snapshot:
    """All versions of a set of merchants, and what comes later too: a view can be had of any moment from now on."""

    def __init__(self, versions: Iterable[Version]) -> None:
        """Versions in the order in which they come into force."""
        by_key: dict[_Key, list[Version]] = {}
        for version in versions:
            by_key.setdefault((version.kind, version.name, version.scope), []).append(version)
        self._versions = {key: tuple(found) for key, found in by_key.items()}
        self._pauses = [key for key in self._versions if key[0] is Kind.PAUSE]

    def at(self, now: datetime) -> ControlsView:
        """The controls as they hold at a time."""
        return ControlsView(self._versions, self._pauses, now)


def scopes(merchant_id: int, asset: Asset) -> Iterator[Scope]:
    """From the most specific to the least: the merchant before all merchants, the asset before currency before all."""
    for whose in (merchant_id, ALL_MERCHANTS):
        if asset.network is not None:
            yield Scope(whose, asset.currency, asset.network)
        yield Scope(whose, asset.currency)
        yield Scope(whose)


def charge(terms: FeeTerms, amount: Money) -> Money:
    """The fee of an amount, exact, rounded up once to the asset's smallest unit; never above the maximum."""
    unit = 10**amount.asset.scale
    exact = Fraction(terms.flat) * unit + Fraction(amount.minor) * Fraction(terms.bps) / _BPS
    if terms.minimum is not None:
        exact = max(exact, Fraction(terms.minimum) * unit)
    minor = ceil(exact)
    if terms.maximum is not None:
        minor = min(minor, floor(Fraction(terms.maximum) * unit))
    return Money(minor, amount.asset)


def check_per_transaction(limit: Limit, operation: Operation, amount: Money) -> None:
    """Raise LimitExceeded when an amount is more than one operation may move."""
    if limit.per_transaction is not None and amount.to_decimal() > limit.per_transaction:
        most = f"{format_decimal(limit.per_transaction)} {amount.asset.currency}"
        raise LimitExceeded(
            f"One {operation} may move at most {most}.",
            [FieldError("amount", f"must be at most {format_decimal(limit.per_transaction)}")],
        )


def check_per_day(limit: Limit, operation: Operation, amount: Money, used_before: Decimal, now: datetime) -> None:
    """Raise LimitExceeded when an amount and what is used already are more than a day may move."""
    if limit.per_day is not None and used_before + amount.to_decimal() > limit.per_day:
        currency = amount.asset.currency
        raise LimitExceeded(
            f"The limit of {operation} is {format_decimal(limit.per_day)} {currency} a day;"
            f" {format_decimal(used_before)} {currency} are used, and it begins anew at {next_day(now).isoformat()}.",
            [FieldError("amount", f"must be at most {format_decimal(max(Decimal(0), limit.per_day - used_before))}")],
        )


def next_day(now: datetime) -> datetime:
    """When the UTC day of a time ends."""
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)


def fee_value(terms: FeeTerms) -> Mapping[str, str | None]:
    """The terms of a fee as kept; raises InvalidRequest where they make no sense."""
    amounts = {"flat": terms.flat, "bps": Decimal(terms.bps), "minimum": terms.minimum, "maximum": terms.maximum}
    _check_amounts(amounts)
    if terms.minimum is not None and terms.maximum is not None and terms.minimum > terms.maximum:
        raise InvalidRequest.of("minimum", "must not be above the maximum")
    return {name: _text(value) for name, value in amounts.items()}


def fee_of(value: Mapping[str, str | None]) -> FeeTerms:
    """The terms of a fee from what is kept."""
    return FeeTerms(
        Decimal(value["flat"] or 0),
        Decimal(value["bps"] or 0),
        _optional_decimal(value["minimum"]),
        _optional_decimal(value["maximum"]),
    )


def limit_value(limit: Limit) -> Mapping[str, str | None]:
    """A limit as kept; raises InvalidRequest where it makes no sense."""
    amounts = {"per_transaction": limit.per_transaction, "per_day": limit.per_day}
    _check_amounts(amounts)
    if set(amounts.values()) == {None}:
        raise InvalidRequest.of("limit", "needs an amount per transaction or per day")
    return {name: _text(value) for name, value in amounts.items()}


def limit_of(value: Mapping[str, str | None]) -> Limit:
    """A limit from what is kept."""
    return Limit(_optional_decimal(value["per_transaction"]), _optional_decimal(value["per_day"]))


def _check_amounts(amounts: Mapping[str, Decimal | None]) -> None:
    for name, value in amounts.items():
        if value is not None and not (value.is_finite() and 0 <= value <= _LARGEST):
            raise InvalidRequest.of(name, "must be a decimal, not below zero")


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)


def _optional_decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def find_setting(name: str) -> MerchantSetting[object]:
    """The setting of a name; raises InvalidRequest where there is none."""
    setting = MERCHANT_SETTINGS.get(name.upper())
    if setting is None:
        raise InvalidRequest.of("setting", f"is unknown; choose one of {', '.join(MERCHANT_SETTINGS)}")
    return setting


def parse_setting(setting: MerchantSetting[Value], text: str) -> Value:
    """The value that a text means.

    Raises:
        InvalidRequest: it is none of the setting's type.
    """
    read: object = None
    if setting.type is bool:
        read = text.lower() in _YES if text.lower() in _YES | _NO else None
    elif setting.type is tuple:
        read = tuple(word.strip() for word in text.split(",") if word.strip())
    elif setting.type is str:
        read = text.strip() or None
    elif _PLAIN_DECIMAL.fullmatch(text):
        read = int(text) if setting.type is int and "." not in text else None
        read = Decimal(text) if setting.type is Decimal and Decimal(text) <= _LARGEST else read
    if read is None:
        raise InvalidRequest.of("value", f"of {setting.name} must be of type {setting.type.__name__}")
    return cast("Value", read)


def setting_text(value: object) -> str:
    """A setting's value as kept and shown; `parse_setting` reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(str(word) for word in value)
    return format_decimal(value) if isinstance(value, Decimal) else str(value)


def needs_second_person(kind: Kind, value: Mapping[str, str | None] | None, above: Decimal | None) -> bool:
    """Whether a change waits for another person.

    Switching something off never does. A limit does when it lets more pass than `above`, or none is left; a fee, a
    setting and the end of a pause always do, once `above` is set.
    """
    if above is None or (kind is Kind.PAUSE and value is not None):
        return False
    if kind is Kind.LIMIT and value is not None:
        amounts = [amount for amount in value.values() if amount is not None]
        return any(Decimal(amount) > above for amount in amounts)
    return True


def words(value: Mapping[str, str | None] | None) -> str:
    """A value in words: `flat 1, bps 25`."""
    if value is None:
        return "nothing"
    # The database keeps no order of names.
    return ", ".join(f"{name} {value[name]}" for name in _NAMES if value.get(name) is not None)
