"""A sandbox of a command's own: started as `bpn up`, used through signed HTTP, stopped in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any, TypeVar

from bpn.cli.installation import load_settings
from bpn.client import Client
from bpn.settings import Settings

SENDER: Mapping[str, object] = {
    "depositOriginator": 1,
    "orgType": 0,
    "bnfType": 0,
    "orgFirstName": "Ana",
    "orgLastName": "Sousa",
    "country": "mx",
    "receiveFrom": 1,
    "vasp": "others",
    "vaspName": "Bitso",
    "declaration": True,
}
"""What Add Deposit Sender is told."""
_WAIT_SECONDS = 60.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.1
Found = TypeVar("Found")


class SandboxFailed(Exception):  # noqa: N818 - a sentence for whoever watches
    """Something did not happen in time, or is not as it must be."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running installation, and its demo merchant."""

    settings: Settings
    base_url: str
    api_key: str
    api_secret: str
    merchant_id: int
    wallet_id: int

    def client(self) -> Client:
        """A client with the demo merchant's key."""
        return Client(self.base_url, self.api_key, self.api_secret)


@contextmanager
def fresh_sandbox() -> Iterator[Sandbox]:
    """A whole installation in a temporary folder.

    Raises:
        SandboxFailed: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="bpn-") as folder:
        settings = load_settings(Path(folder) / "data", port=_free_port())
        environment = {**os.environ, "BPN_LOG_LEVEL": "ERROR"}
        command = [sys.executable, "-m", "bpn", "up", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)  # noqa: S603 - our own
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise SandboxFailed("the sandbox did not start")
            ready = json.loads(line)
            yield Sandbox(
                settings,
                ready["baseUrl"],
                ready["apiKey"],
                ready["apiSecret"],
                int(ready["merchantId"]),
                ready["primaryWalletId"],
            )
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_STOP_SECONDS)


def wait_for(find: Callable[[], Found | None], what: str) -> Found:
    """What `find` returns once it is not None; raises SandboxFailed when that takes too long."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        if (found := find()) is not None:
            return found
        time.sleep(_POLL_SECONDS)
    raise SandboxFailed(f"{what} did not come within {_WAIT_SECONDS:.0f} s")


def find_record(client: Client, **filters: object) -> dict[str, Any] | None:
    """The newest line of the history that the filters let through."""
    rows: list[dict[str, Any]] = client.get("/v1/wallet/history", **filters)["list"]
    return rows[0] if rows else None


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
