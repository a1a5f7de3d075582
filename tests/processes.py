"""Installations as processes of their own, started, killed and asked through the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

BPN = [sys.executable, "-m", "bpn"]


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def environment(data: Path, **more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("BPN_")}
    return {**ours, "BPN_DATA_DIR": str(data), "BPN_LOG_LEVEL": "ERROR", **more}


def bpn(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the installation at `data` to its end."""
    return subprocess.run(
        [*BPN, *arguments], env=environment(data, **more), capture_output=True, text=True, check=False, timeout=120
    )


@dataclass
class Running:
    """`bpn up` in a process group of its own."""

    process: subprocess.Popen[str]
    data: Path
    port: int
    ready: dict[str, Any]

    def kill_group(self) -> None:
        """Kill -9 everything that `bpn up` started, PostgreSQL included."""
        pid_file = self.data / "pgdata" / "postmaster.pid"
        postmaster = int(pid_file.read_text().splitlines()[0])
        os.killpg(self.process.pid, signal.SIGKILL)
        os.kill(postmaster, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def start(data: Path, port: int | None = None, **more: str) -> Running:
    """Start `bpn up` and wait until it is ready."""
    chosen = port or free_port()
    process = subprocess.Popen(
        [*BPN, "up", "--json", "--port", str(chosen)],
        env=environment(data, **more),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.stdout.close()
    if not line:
        process.wait(60)
        raise AssertionError("bpn up did not become ready")
    return Running(process, data, chosen, json.loads(line))


@contextmanager
def running(data: Path) -> Iterator[Running]:
    """`bpn up`, stopped in the end."""
    installation = start(data)
    try:
        yield installation
    finally:
        if installation.process.poll() is None:
            installation.stop()
