"""Installations as processes of their own, started, killed and asked through the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

from bpn.client import Client
from installation import SENDER

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


def client(ready: dict[str, Any]) -> Client:
    return Client(ready["baseUrl"], ready["apiKey"], ready["apiSecret"])


def wait(find: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.1)
    raise AssertionError("did not come about")


def funded(api: Client, wallet_id: int, amount: str) -> None:
    hash_ = api.post("/v1/mock/wallet/deposit", {"walletId": wallet_id, "currency": "USDT", "amount": amount})["hash"]
    (row,) = wait(lambda: api.get("/v1/wallet/history", hash=hash_, status="SENDER_REQUIRED")["list"])
    api.post("/v1/wallet/add-deposit-sender", {"transactionId": row["transactionId"], **SENDER})
    wait(lambda: api.get("/v1/wallet/history", hash=hash_, status="COMPLETED")["list"])


def available(api: Client, wallet_id: int) -> str:
    (entry,) = api.get("/v1/wallet/asset-balance", currency="USDT", walletId=wallet_id)["wallets"]
    return next(one["available"] for one in entry["networks"] if one["network"] == "BSC")
