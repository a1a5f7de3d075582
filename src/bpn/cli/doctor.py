"""`bpn doctor`: look at an installation and say what is wrong with it."""

from __future__ import annotations

import typer

from bpn.cli.installation import chain_url, configure_logging, database_url, load_settings, run_async
from bpn.cli.rows import Json, show_rows
from bpn.cli.servers import Data


def doctor(as_json: Json = False, data: Data = None) -> None:
    """Check settings, disk, database, clocks, migrations, master key and chains; exit 1 when something is wrong."""
    from bpn.wiring.diagnosis import diagnose  # noqa: PLC0415 - seconds of imports that only this command needs

    configure_logging()
    settings = load_settings(data)
    findings = run_async(lambda: diagnose(settings, database_url(settings), chain_url(settings)))
    rows = [{"what": one.what, "state": one.fault or "ok", "detail": one.detail} for one in findings]
    show_rows(rows, as_json=as_json, empty="")
    if any(one.fault for one in findings):
        raise typer.Exit(1)
