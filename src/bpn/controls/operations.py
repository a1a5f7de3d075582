"""Ask what is allowed and what it costs; set it, audited; and the copy that each process keeps of it all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.controls import rules, store
from bpn.controls.errors import LimitExceeded, SecondPersonRequired
from bpn.controls.model import (
    ALL_MERCHANTS,
    EVERYTHING,
    FeeTerms,
    Kind,
    Limit,
    MerchantSetting,
    Operation,
    Pause,
    Scope,
    Version,
)
from bpn.controls.rules import ControlsView, Snapshot
from bpn.database.pool import Database, Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.kernel.money import Money

Value = TypeVar("Value")
CONTROLS_CHANGED = store.CONTROLS_CHANGED
_PROPOSAL_LIFETIME = timedelta(days=7)
"""How long a change waits for its second person."""


class Controls:
    """All controls in memory, trusted only while this process is sure to hear of every change."""

    def __init__(self, database: Database, hears_changes: Callable[[], bool]) -> None:
        self._database = database
        self._hears_changes = hears_changes
        self._snapshot: Snapshot | None = None
        self._generation = 0

    async def view(self, tx: Transaction) -> ControlsView:
        """The controls at the transaction's time: from memory, so without a round trip, while that can be trusted."""
        snapshot = self._snapshot if self._hears_changes() else None
        return (snapshot or Snapshot(await store.load(tx))).at(tx.now)

    async def refresh(self, _payload: str) -> None:
        """Handle the notice that controls changed."""
        self._generation += 1
        self._snapshot = None
        generation = self._generation
        async with self._database.reading() as tx:
            snapshot = Snapshot(await store.load(tx))
        # A change that was announced while we read may not be in what we read: the next notice brings it.
        if generation == self._generation:
            self._snapshot = snapshot


async def view(tx: Transaction, merchant_id: int | None = None) -> ControlsView:
    """The controls as the database has them at this moment: of a merchant (and of all merchants), or of every one."""
    merchants = None if merchant_id is None else [ALL_MERCHANTS, merchant_id]
    return Snapshot(await store.load(tx, merchants)).at(tx.now)


async def require_running(tx: Transaction, merchant_id: int, operation: Operation, asset: Asset | None) -> None:
    """Let an operation begin only if nothing that it touches is switched off.

    Raises:
        ServicePaused: the merchant, the operation, the currency or the network is.
    """
    (await view(tx, merchant_id)).require_running(merchant_id, operation, asset)


async def fee(
    tx: Transaction, merchant_id: int, operation: Operation, amount: Money, default: FeeTerms | None = None
) -> Money:
    """What an operation on an amount costs, in its asset; by `default` where the operator has set nothing."""
    return (await view(tx, merchant_id)).fee(merchant_id, operation, amount, default)


async def merchant_setting(tx: Transaction, merchant_id: int, setting: MerchantSetting[Value]) -> Value:
    """What holds for a merchant: set for it, else for all merchants, else the default."""
    return (await view(tx, merchant_id)).merchant_setting(merchant_id, setting)


async def take_limit(
    tx: Transaction, merchant_id: int, operation: Operation, amount: Money, known: ControlsView | None = None
) -> None:
    """Count an amount against the operation's limits, or refuse it and count nothing.

    Counted under a lock that is held until the transaction ends: what runs beside it waits, and sees it.

    Args:
        tx: the transaction that does the operation.
        merchant_id: whose limits.
        operation: what is done.
        amount: of it.
        known: the controls, if the caller has them; read otherwise.

    Raises:
        LimitExceeded: more than one operation, or a UTC day, may move.
    """
    known = known or await view(tx, merchant_id)
    found = known.limit(merchant_id, operation, amount.asset)
    if found is not None:
        rules.check_per_transaction(found[0], operation, amount)
    day = tx.now.date()
    of_currency, of_asset = await store.add_use(tx, merchant_id, operation, day, amount, minus=False)
    if found is None:
        return
    limit, counted = found
    used = of_asset if counted.network else of_currency
    try:
        rules.check_per_day(limit, operation, amount, used - amount.to_decimal(), tx.now)
    except LimitExceeded:
        await store.add_use(tx, merchant_id, operation, day, amount, minus=True)
        raise


async def give_back(tx: Transaction, merchant_id: int, operation: Operation, amount: Money, taken_at: datetime) -> None:
    """Count an amount no longer: what it was taken for (at this time) has failed. The caller does so once."""
    await store.add_use(tx, merchant_id, operation, taken_at.date(), amount, minus=True)


async def set_fee(
    tx: Transaction,
    decision: Decision,
    operation: Operation,
    terms: FeeTerms | None,
    *,
    scope: Scope = EVERYTHING,
    valid_from: datetime | None = None,
    second_person_above: Decimal | None = None,
) -> Version:
    """Ask a fee from a time on; None takes it back.

    Args:
        tx: the transaction.
        decision: who, and why.
        operation: what costs it.
        terms: the fee.
        scope: for whom and what.
        valid_from: business time, not past; now when absent.
        second_person_above: whether (and for limits, above what) a second person is needed.

    Raises:
        InvalidRequest: the terms or the scope make no sense, or the time is past.
        SecondPersonRequired: the same person asks twice.
    """
    value = None if terms is None else rules.fee_value(terms)
    return await _set(tx, decision, Kind.FEE, operation, scope, value, valid_from, second_person_above)


async def set_limit(
    tx: Transaction,
    decision: Decision,
    operation: Operation,
    limit: Limit | None,
    *,
    scope: Scope = EVERYTHING,
    valid_from: datetime | None = None,
    second_person_above: Decimal | None = None,
) -> Version:
    """Limit an operation from a time on; None takes the limit back. As `set_fee`."""
    value = None if limit is None else rules.limit_value(limit)
    return await _set(tx, decision, Kind.LIMIT, operation, scope, value, valid_from, second_person_above)


async def set_pause(
    tx: Transaction,
    decision: Decision,
    operation: Operation | None,
    *,
    scope: Scope = EVERYTHING,
    second_person_above: Decimal | None = None,
) -> Version:
    """Switch an operation (None: every one) off in a scope, or (not approved) on again; at once.

    Switching off never waits for a second person.

    Raises:
        SecondPersonRequired: the same person asks twice to switch on.
    """
    value = {"paused": "true"} if decision.approved else None
    return await _set(tx, decision, Kind.PAUSE, operation or "", scope, value, None, second_person_above)


async def set_merchant_setting(
    tx: Transaction,
    decision: Decision,
    setting: MerchantSetting[Value],
    value: Value | None,
    *,
    merchant_id: int = ALL_MERCHANTS,
    valid_from: datetime | None = None,
    second_person_above: Decimal | None = None,
) -> Version:
    """Set something about a merchant, or about all; None takes it back. As `set_fee`."""
    text = None if value is None else rules.setting_text(value)
    if text is not None:
        rules.parse_setting(setting, text)
    kept = None if text is None else {"value": text}
    return await _set(
        tx, decision, Kind.SETTING, setting.name, Scope(merchant_id), kept, valid_from, second_person_above
    )  # fmt: skip


async def _set(
    tx: Transaction,
    decision: Decision,
    kind: Kind,
    name: str,
    scope: Scope,
    value: Mapping[str, str | None] | None,
    valid_from: datetime | None,
    second_person_above: Decimal | None,
) -> Version:
    if scope.network is not None and scope.currency is None and kind is not Kind.PAUSE:
        raise InvalidRequest.of("network", "needs a currency")
    if valid_from is not None and valid_from < tx.now:
        raise InvalidRequest.of("validFrom", "must not be past: what was in force stays true")
    await store.lock_changes(tx)
    before = (await view(tx, scope.merchant_id)).value(kind, name, scope)
    version = Version(
        control_id=tx.ids.next(),
        kind=kind,
        name=name,
        scope=scope,
        value=value,
        valid_from=valid_from or tx.now,
        maker=decision.actor,
        checker=None,
        reason=decision.reason,
        proposal=False,
        created_at=tx.now,
    )
    if rules.needs_second_person(kind, value, second_person_above):
        version = await _checked(tx, version, wanted_at=valid_from)
    await store.insert(tx, version)
    await audit.record(
        tx,
        decision,
        merchant_id=scope.merchant_id,
        action=f"{kind}.{'propose' if version.proposal else 'set'}",
        subject_id=version.control_id,
        before=f"{name or 'every operation'}, {scope}: {rules.words(before)}",
        after=rules.words(value),
    )
    return version


async def _checked(tx: Transaction, version: Version, *, wanted_at: datetime | None) -> Version:
    """The version with its checker, if another person has just proposed the same; else a proposal."""
    asked = await store.newest(tx, version.kind, version.name, version.scope)
    same = (
        asked is not None
        and asked.proposal
        and asked.value == version.value
        and tx.now - asked.created_at <= _PROPOSAL_LIFETIME
    )
    if asked is None or not same:
        return replace(version, proposal=True)
    if asked.maker == version.maker:
        raise SecondPersonRequired(
            f"{version.maker} has asked for this already; another person must.", [FieldError("actor", "is the same")]
        )
    # What was proposed for a later time begins then, unless that has passed.
    valid_from = wanted_at or max(asked.valid_from, tx.now)
    return replace(version, maker=asked.maker, checker=version.maker, valid_from=valid_from)


async def list_in_force(tx: Transaction, kind: Kind) -> list[Version]:
    """All versions of a kind that hold now, of every merchant."""
    found = Snapshot(await store.load(tx)).at(tx.now).in_force()
    return [version for version in found if version.kind is kind]


async def list_pauses(tx: Transaction) -> list[Pause]:
    """What is switched off now."""
    return [
        Pause(Operation(version.name) if version.name else None, version.scope)
        for version in await list_in_force(tx, Kind.PAUSE)
    ]


async def history(
    tx: Transaction, kind: Kind, *, name: str | None = None, merchant_id: int | None = None, limit: int = 100
) -> list[Version]:
    """Versions and proposals of a kind, newest first."""
    return await store.history(tx, kind, name=name, merchant_id=merchant_id, limit=limit)


async def list_uses(tx: Transaction, merchant_id: int, operation: Operation) -> list[tuple[Scope, Decimal]]:
    """What a merchant has used today, by currency and by asset."""
    return await store.used_on(tx, merchant_id, operation, tx.now)


def find_setting(name: str) -> MerchantSetting[object]:
    """The setting of a name; raises InvalidRequest where there is none."""
    return rules.find_setting(name)


def parse_setting(setting: MerchantSetting[Value], text: str) -> Value:
    """The value that a text means; raises InvalidRequest where it means none."""
    return rules.parse_setting(setting, text)
