"""What everything is measured against: pgbench on the same server."""

from __future__ import annotations

import re
import subprocess

from bpn.wiring.house import postgres_program

CLIENTS = 8
SCALE = 20
_TPS = re.compile(r"tps = ([0-9.]+)")


def prepare(url: str) -> None:
    """Make pgbench's tables."""
    _pgbench(url, "-i", "-q", "-s", str(SCALE))


def _pgbench(url: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own
        [str(postgres_program("pgbench")), *arguments, url], capture_output=True, text=True, check=True
    )
    return done.stdout


def tpc_b(url: str, seconds: float) -> float:
    """Transactions per second of pgbench's built-in TPC-B-like script."""
    said = _pgbench(url, "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds)))
    found = _TPS.search(said)
    if found is None:
        raise RuntimeError(said)
    return float(found[1])
