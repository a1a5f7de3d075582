"""The command: every scene in order, then the books."""

from __future__ import annotations

import time

import typer

from bpn.cli.demo import accounts, payment_links, wallet
from bpn.cli.demo.receiver import Receiver
from bpn.cli.demo.stage import Stage, console, headline
from bpn.cli.installation import configure_logging, in_house, say
from bpn.cli.ledger import show_comparisons, show_verification, verify_ledger
from bpn.cli.sandbox import SandboxFailed, fresh_sandbox
from bpn.settings import Settings

SCENES = (wallet.play, payment_links.play, accounts.play)
"""In order; a scene may use what those before it left in the merchant's wallets."""


def demo() -> None:
    """Run the main job end to end in a fresh sandbox and print what happens."""
    configure_logging()
    started = time.monotonic()
    console.print("[bold]BPN demo[/]: a fresh sandbox with its own PostgreSQL, chains, API and worker.\n")
    try:
        with Receiver().listening() as receiver, fresh_sandbox() as sandbox:
            receiver.secret = sandbox.api_secret
            with sandbox.client() as client:
                stage = Stage(client, receiver, sandbox.wallet_id, sandbox.merchant_id)
                for scene in SCENES:
                    scene(stage)
            sound = prove(sandbox.settings)
    except SandboxFailed as failure:
        say(f"The demo failed: {failure}")
        raise typer.Exit(1) from None
    console.print(f"\nDone in {time.monotonic() - started:.0f} s.")
    if not sound:
        raise typer.Exit(1)


def prove(settings: Settings) -> bool:
    """Verify the ledger and compare it with the chains; whether both are well."""
    from bpn.wiring.chains import compare_with_chains  # noqa: PLC0415 - seconds of imports that only this command needs

    headline("The books: every sum, every balance recomputed, the hash chain; then ledger against chain")
    found = in_house(settings, verify_ledger)
    show_verification(found)
    agree = show_comparisons(in_house(settings, compare_with_chains))
    console.print("Ledger and chain agree." if agree else "Ledger and chain DIFFER.")
    return agree and not found.findings
