"""`bpn up`: a whole installation in one process group."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import httpx
import typer

from bpn.cli.installation import (
    CHAIN_URL_FILE,
    configure_logging,
    database_url,
    in_house,
    load_settings,
    migrate_database,
    say,
)
from bpn.cli.servers import Data
from bpn.settings import Settings
from bpn.wiring.house import embedded_postgres
from bpn.wiring.merchants import onboard_merchant

_DEMO_FILE = "demo-merchant.json"
_POLL_SECONDS = 0.1
_PROGRESS_SECONDS = 5.0
_GRACE_SECONDS = 20.0


class Stop(Exception):  # noqa: N818 - a wish, not an error
    """Somebody asked us to end."""


def up(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Start everything: database, sandbox chain, API, worker. Ctrl-C stops it all; the data stays."""
    configure_logging()
    settings = load_settings(data, host=host, port=port)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    children: list[subprocess.Popen[bytes]] = []
    server = None if settings.database_url else embedded_postgres(settings, say)
    try:
        migrate_database(database_url(settings))
        # A file left behind by a kill would send the others to a chain that is gone.
        (settings.data_dir / CHAIN_URL_FILE).unlink(missing_ok=True)
        simulated = [
            ("chain", bool(settings.simulated_chains)),
            ("mailbox", settings.sandbox and settings.mail is None),
        ]
        roles = [*(role for role, wanted in simulated if wanted), "serve", "work"]
        children += [subprocess.Popen([sys.executable, "-m", "bpn", role]) for role in roles]  # noqa: S603 - our own
        merchant = _demo_merchant(settings)
        _wait_until_ready(settings, children)
        _tell(settings, merchant, as_json=as_json)
        _watch(children)
    except Stop:
        say("Stopping.")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _end(children)
        if server is not None:
            server.stop()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stop


def _demo_merchant(settings: Settings) -> dict[str, Any]:
    """The demo merchant's key; made at the first start and kept beside the data, mode 0600."""
    path = settings.data_dir / _DEMO_FILE
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text())
        return kept
    made = in_house(settings, lambda house: onboard_merchant(house, "Demo merchant", None))
    merchant = {
        "merchantId": str(made.merchant.merchant_id),
        "apiKey": made.key.api_key,
        "apiSecret": made.key.secret,
        "primaryWalletId": made.primary_wallet_id,
    }
    _write_private(path, json.dumps(merchant))
    return merchant


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _wait_until_ready(settings: Settings, children: list[subprocess.Popen[bytes]]) -> None:
    told = time.monotonic()
    url = f"http://{settings.host}:{settings.port}/health/ready"
    while True:
        _check(children)
        faults = "the API does not listen yet"
        try:
            answer = httpx.get(url, timeout=5, trust_env=False)
            if answer.status_code == httpx.codes.OK:
                return
            faults = ", ".join(f"{name}: {state}" for name, state in answer.json()["checks"].items() if state != "ok")
        except httpx.HTTPError:
            pass
        if time.monotonic() - told > _PROGRESS_SECONDS:
            told = time.monotonic()
            say(f"Waiting: {faults}.")
        time.sleep(_POLL_SECONDS)


def _tell(settings: Settings, merchant: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"baseUrl": settings.base_url, **merchant}), flush=True)
        return
    mailbox = (
        f"\n  Mailbox    {settings.base_url}/sandbox/mailbox" if settings.sandbox and settings.mail is None else ""
    )
    print(
        f"""
BPN is up.

  API        {settings.base_url}
  Documents  {settings.base_url}/docs{mailbox}
  Data       {settings.data_dir.resolve()}

  Demo merchant   {merchant["merchantId"]}
  API key         {merchant["apiKey"]}
  API secret      {merchant["apiSecret"]}
  Primary wallet  {merchant["primaryWalletId"]}

Ctrl-C stops everything; the data stays.
""",
        flush=True,
    )


def _watch(children: list[subprocess.Popen[bytes]]) -> None:
    while True:
        _check(children)
        time.sleep(_POLL_SECONDS)


def _check(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is not None:
            role = list(child.args)[-1] if isinstance(child.args, list) else child.args
            say(f"`bpn {role!s}` ended with status {child.returncode}; stopping the rest.")
            raise typer.Exit(1)


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """End the children, the chain last: the others still speak to it."""
    deadline = time.monotonic() + _GRACE_SECONDS
    for child in reversed(children):
        if child.poll() is None:
            child.terminate()
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
