"""Merchants and their keys, while the server runs or rests."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bpn.cli.installation import configure_logging, in_house, load_settings, say
from bpn.cli.rows import Json, show_rows
from bpn.cli.servers import Data
from bpn.merchants import operations as merchants
from bpn.merchants.model import ApiKey, Merchant, NewApiKey, Permission
from bpn.wiring.house import House
from bpn.wiring.merchants import onboard_merchant, revoke_api_key

merchant_commands = typer.Typer(help="Make, list and suspend merchants.", no_args_is_help=True)
key_commands = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)


@merchant_commands.command("create")
def create(
    name: Annotated[str, typer.Option(help="The merchant's name.")],
    webhook_url: Annotated[str | None, typer.Option(help="Where its events are posted.")] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Make a merchant with a primary wallet and a key of all permissions; its secret is shown once."""
    configure_logging()
    made = in_house(load_settings(data), lambda house: onboard_merchant(house, name, webhook_url))
    shown: dict[str, str | int] = {
        "merchantId": str(made.merchant.merchant_id),
        "apiKey": made.key.api_key,
        "apiSecret": made.key.secret,
        "primaryWalletId": made.primary_wallet_id,
    }
    if made.webhook_endpoint_id is not None:
        shown |= {"webhookEndpointId": str(made.webhook_endpoint_id), "webhookSecret": made.webhook_secret or ""}
    _show(shown, as_json=as_json)


@merchant_commands.command("list")
def list_merchants(as_json: Json = False, data: Data = None) -> None:
    """All merchants, newest first."""
    configure_logging()

    async def read(house: House) -> list[Merchant]:
        async with house.database.reading() as tx:
            return await merchants.list_merchants(tx)

    found = in_house(load_settings(data), read)
    rows = [
        {"merchantId": str(merchant.merchant_id), "name": merchant.name, "suspended": merchant.suspended}
        for merchant in found
    ]
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['merchantId']}  {'suspended' if row['suspended'] else 'active':9}  {row['name']}")


@merchant_commands.command("suspend")
def suspend(
    merchant_id: Annotated[int, typer.Argument(help="Whom.")],
    lift: Annotated[bool, typer.Option("--lift", help="Accept its requests again.")] = False,
    data: Data = None,
) -> None:
    """Refuse all requests of a merchant from now on."""
    configure_logging()

    async def change(house: House) -> None:
        async with house.database.transaction() as tx:
            await merchants.suspend_merchant(tx, merchant_id, suspended=not lift)

    in_house(load_settings(data), change)
    say(f"Merchant {merchant_id} is {'active' if lift else 'suspended'}.")


@key_commands.command("create")
def create_key(
    merchant_id: Annotated[int, typer.Option("--merchant", help="Whose key.")],
    permission: Annotated[list[Permission] | None, typer.Option(help="What it may do; all by default.")] = None,
    allow_ip: Annotated[list[str] | None, typer.Option(help="Networks it may be used from (CIDR).")] = None,
    ed25519_public_key: Annotated[
        str | None,
        typer.Option(
            help="The merchant's public key, 64 hex digits or a PEM file: requests are then signed with its private"
            " half (RFC 9421), the secret signs webhooks only."
        ),
    ] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Make another key; its secret is shown once."""
    configure_logging()
    public_key = ed25519_public_key
    if public_key is not None and Path(public_key).is_file():
        public_key = Path(public_key).read_text()

    async def make(house: House) -> NewApiKey:
        async with house.database.transaction() as tx:
            return await merchants.create_api_key(
                tx, house.cipher, merchant_id, permission or tuple(Permission), allow_ip or (), public_key
            )

    _show_key(in_house(load_settings(data), make), as_json=as_json)


@key_commands.command("list")
def list_keys(
    merchant_id: Annotated[int, typer.Option("--merchant", help="Whose keys.")],
    as_json: Json = False,
    data: Data = None,
) -> None:
    """All keys of a merchant, oldest first, the revoked ones too."""
    configure_logging()

    async def read(house: House) -> list[ApiKey]:
        async with house.database.reading() as tx:
            return await merchants.list_api_keys(tx, merchant_id)

    def moment(time: datetime | None) -> str | None:
        return None if time is None else time.isoformat(timespec="seconds")

    rows = [
        {
            "apiKey": key.api_key,
            "permissions": ",".join(key.permissions),
            "allowedIps": ",".join(key.allowed_ips),
            "signsWith": "ed25519" if key.signs_with_ed25519 else "secret",
            "created": moment(key.created_at),
            "lastUsed": moment(key.last_used_at),
            "previousSecretUntil": moment(key.previous_secret_until),
            "revoked": moment(key.revoked_at),
        }
        for key in in_house(load_settings(data), read)
    ]
    show_rows(rows, as_json=as_json, empty="There are no keys.")


@key_commands.command("rotate")
def rotate_key(
    api_key: Annotated[str, typer.Argument(help="Which key.")],
    overlap_seconds: Annotated[
        int | None, typer.Option(help="How long the former secret stays valid; BPN_KEY_OVERLAP_SECONDS by default.")
    ] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Give a key a new secret, shown once. Webhooks are signed with it from now on."""
    configure_logging()
    settings = load_settings(data)
    seconds = settings.key_overlap_seconds if overlap_seconds is None else overlap_seconds

    async def rotate(house: House) -> NewApiKey:
        async with house.database.transaction() as tx:
            return await merchants.rotate_api_key(tx, house.cipher, api_key, timedelta(seconds=seconds))

    _show_key(in_house(settings, rotate), as_json=as_json)


@key_commands.command("revoke")
def revoke_key(
    api_key: Annotated[str, typer.Argument(help="Which key.")],
    successor: Annotated[str | None, typer.Option(help="The key that signs webhooks in its place.")] = None,
    data: Data = None,
) -> None:
    """Revoke a key at once, in every process. One that signs webhooks needs a successor."""
    configure_logging()
    in_house(load_settings(data), lambda house: revoke_api_key(house, api_key, successor))
    say("The key is revoked.")


@key_commands.command("rotate-master")
def rotate_master(
    finish: Annotated[bool, typer.Option("--finish", help="Forget the former key, once nothing needs it.")] = False,
    data: Data = None,
) -> None:
    """Seal every secret under a new master key while everything runs; broken off, it goes on where it was."""
    from bpn.wiring.master_key_rotation import finish_rotation, rotate_master_key  # noqa: PLC0415 - only this command

    configure_logging()
    values = in_house(load_settings(data), finish_rotation if finish else rotate_master_key)
    if finish:
        say(f"{values} values were still to seal. The former key opens nothing any more; remove it from the settings.")
    else:
        say(f"{values} values are sealed under the new key. Keep a copy of it, then run this with --finish.")


def _show_key(key: NewApiKey, *, as_json: bool) -> None:
    permissions = ",".join(key.permissions)
    _show({"apiKey": key.api_key, "apiSecret": key.secret, "permissions": permissions}, as_json=as_json)


def _show(values: dict[str, str | int], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(values))
        return
    for name, value in values.items():
        print(f"{name:18} {value}")
