"""Travel-rule records for whoever may ask for them."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bpn.chapters.wallet import operations as wallet
from bpn.cli.deciding import in_transaction
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.kernel.ivms101 import Record
from bpn.merchants import operations as merchants
from bpn.merchants.errors import MerchantNotFound
from bpn.wiring.house import House

travel_rule_commands = typer.Typer(help="Export travel-rule records.", no_args_is_help=True)


@travel_rule_commands.callback()
def travel_rule() -> None:
    """Export travel-rule records."""


@travel_rule_commands.command("export")
def export(
    transaction_id: Annotated[int, typer.Argument(help="A deposit or a withdrawal.")],
    merchant_id: Annotated[int, typer.Option("--merchant", help="Whose.")],
    data: Data = None,
) -> None:
    """Print the record of a deposit or withdrawal as IVMS101 JSON. It holds personal data."""

    async def read(house: House, tx: Transaction) -> Record:
        found = {one.merchant_id: one.name for one in await merchants.list_merchants(tx)}
        if merchant_id not in found:
            raise MerchantNotFound(f"There is no merchant {merchant_id}.")
        return await wallet.travel_rule_record(
            house.wallet_terms,
            tx,
            merchant_id,
            transaction_id,
            merchant_name=found[merchant_id],
            platform_name=house.settings.platform_name,
        )

    print(json.dumps(in_transaction(data, read), ensure_ascii=False, indent=2))
