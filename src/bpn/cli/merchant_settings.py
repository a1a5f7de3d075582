"""What the operator sets about merchants."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.rows import Json
from bpn.cli.scoping import From, Merchant, Remove, say_outcome, time_of
from bpn.cli.servers import Data
from bpn.controls import operations as controls
from bpn.controls.model import ALL_MERCHANTS, MERCHANT_SETTINGS, Version
from bpn.controls.rules import setting_text
from bpn.database.pool import Transaction
from bpn.kernel.errors import InvalidRequest
from bpn.wiring.house import House


def set_setting(
    name: Annotated[str, typer.Argument(help="Which setting; `bpn merchant settings` lists them.")],
    value: Annotated[str | None, typer.Argument(help="Its value; words are separated by commas.")] = None,
    remove: Remove = False,
    merchant: Merchant = None,
    valid_from: From = None,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Set something about a merchant, or about all."""
    setting = controls.find_setting(name)
    if setting.set_by is not None:
        raise InvalidRequest.of("setting", f"is set by `{setting.set_by}`")
    if (value is None) != remove:
        raise InvalidRequest.of("value", "or --remove must be given, exactly one of them")

    async def change(house: House, tx: Transaction) -> Version:
        return await controls.set_merchant_setting(
            tx,
            decision_of(actor, reason),
            setting,
            None if value is None else controls.parse_setting(setting, value),
            merchant_id=merchant or ALL_MERCHANTS,
            valid_from=time_of(valid_from),
            second_person_above=house.settings.second_person_above,
        )

    say_outcome(in_transaction(data, change))


def show_settings(merchant: Merchant = None, as_json: Json = False, data: Data = None) -> None:
    """Every setting with the value that holds for a merchant, or for all."""

    async def read(_house: House, tx: Transaction) -> list[dict[str, str]]:
        view = await controls.view(tx, merchant or ALL_MERCHANTS)
        return [
            {
                "setting": name,
                "value": _shown(view.merchant_setting(merchant or ALL_MERCHANTS, setting)),
                "default": _shown(setting.default),
                "meaning": setting.meaning,
            }
            for name, setting in MERCHANT_SETTINGS.items()
        ]

    show(in_transaction(data, read), as_json=as_json)


def _shown(value: object) -> str:
    return "" if value is None else setting_text(value)
