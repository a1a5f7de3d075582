"""The command `bpn` and its subcommands."""

from __future__ import annotations

import sys

import typer

from bpn.cli import (
    abnormal,
    accounts,
    collection,
    desk,
    docs,
    doctor,
    fees,
    information,
    invoices,
    kyb,
    ledger,
    limits,
    merchant_settings,
    merchants,
    networks,
    outgoing,
    pauses,
    payouts,
    rates,
    review,
    servers,
    travel_rule,
    up,
    webhooks,
)
from bpn.cli.bench import bench
from bpn.cli.demo import demo
from bpn.kernel.errors import Refusal

application = typer.Typer(
    name="bpn",
    help="Better Payment Network: stablecoin payments that you run yourself. Options are BPN_… variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
application.command("up")(up.up)
application.command("demo")(demo.demo)
application.command("bench")(bench.bench)
application.command("docs")(docs.docs)
application.command("doctor")(doctor.doctor)
application.command("serve")(servers.serve)
application.command("work")(servers.work)
application.command("chain")(servers.chain)
application.command("mailbox")(servers.mailbox)
application.command("migrate")(servers.migrate)
merchants.merchant_commands.command("set")(merchant_settings.set_setting)
merchants.merchant_commands.command("settings")(merchant_settings.show_settings)
application.add_typer(merchants.merchant_commands, name="merchant")
application.add_typer(merchants.key_commands, name="key")
application.add_typer(review.withdrawal_commands, name="withdrawal")
application.add_typer(review.deposit_commands, name="deposit")
application.add_typer(review.whitelist_commands, name="whitelist")
application.add_typer(travel_rule.travel_rule_commands, name="travel-rule")
application.add_typer(fees.fee_commands, name="fee")
application.add_typer(limits.limit_commands, name="limit")
application.add_typer(pauses.pause_commands, name="pause")
application.add_typer(networks.network_commands, name="network")
application.add_typer(kyb.kyb_commands, name="kyb")
application.add_typer(accounts.account_commands, name="account")
application.add_typer(payouts.payout_commands, name="payout")
application.add_typer(payouts.pay_in_commands, name="payin")
application.add_typer(invoices.invoice_commands, name="invoice")
application.add_typer(information.information_commands, name="rfi")
application.add_typer(collection.collection_commands, name="collection")
application.add_typer(abnormal.abnormal_commands, name="abnormal")
application.add_typer(review.audit_commands, name="audit")
application.add_typer(outgoing.hot_commands, name="hot")
application.add_typer(outgoing.outgoing_commands, name="outgoing")
application.add_typer(webhooks.webhook_commands, name="webhook")
application.add_typer(rates.rate_commands, name="rate")
application.add_typer(desk.desk_commands, name="desk")
application.add_typer(desk.pool_commands, name="pool")
application.add_typer(ledger.ledger_commands, name="ledger")
application.add_typer(ledger.reconcile_commands, name="reconcile")


def main() -> None:
    """Run the command line; a refusal is one line and exit status 1."""
    try:
        application()
    except Refusal as refusal:
        print(f"{refusal.code}: {refusal.message}", file=sys.stderr)
        sys.exit(1)
