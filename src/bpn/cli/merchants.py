"""Merchants and their keys, while the server runs or rests."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bpn.chapters.webhooks import operations as webhooks
from bpn.cli.installation import configure_logging, in_house, load_settings, say
from bpn.cli.servers import Data
from bpn.merchants import operations as merchants
from bpn.merchants.errors import ApiKeyInUse
from bpn.merchants.model import Merchant, NewApiKey, Permission
from bpn.wiring.house import House
from bpn.wiring.merchants import onboard_merchant

merchant_commands = typer.Typer(help="Make, list and suspend merchants.", no_args_is_help=True)
key_commands = typer.Typer(help="Make and revoke API keys.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Make another key; its secret is shown once."""
    configure_logging()

    async def make(house: House) -> NewApiKey:
        async with house.database.transaction() as tx:
            return await merchants.create_api_key(
                tx, house.cipher, merchant_id, permission or tuple(Permission), allow_ip or ()
            )

    key = in_house(load_settings(data), make)
    permissions = ",".join(key.permissions)
    _show({"apiKey": key.api_key, "apiSecret": key.secret, "permissions": permissions}, as_json=as_json)


@key_commands.command("revoke")
def revoke_key(api_key: Annotated[str, typer.Argument(help="Which key.")], data: Data = None) -> None:
    """Revoke a key at once, in every process. One that signs webhooks needs a successor first."""
    configure_logging()

    async def revoke(house: House) -> None:
        async with house.database.transaction() as tx:
            merchant_id = await merchants.revoke_api_key(tx, api_key)
            endpoints = await webhooks.list_webhook_endpoints(house.webhook_terms, tx, merchant_id)
            if any(endpoint.api_key == api_key for endpoint in endpoints):
                raise ApiKeyInUse("The key still signs a webhook endpoint; set another key there first.")

    in_house(load_settings(data), revoke)
    say("The key is revoked.")


def _show(values: dict[str, str | int], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(values))
        return
    for name, value in values.items():
        print(f"{name:18} {value}")
