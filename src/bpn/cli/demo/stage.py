"""What every scene of the demo has: a signed client, a webhook receiver, and a voice."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from bpn.cli.demo.receiver import Receiver
from bpn.cli.sandbox import SandboxFailed
from bpn.client import Client

console = Console(width=110, highlight=False)


def headline(text: str) -> None:
    """Say what comes next."""
    console.print(f"\n[bold cyan]{text}[/]")


@dataclass(frozen=True, slots=True)
class Stage:
    """A merchant of a running sandbox; what it sends and gets is printed."""

    client: Client
    receiver: Receiver
    wallet_id: int
    merchant_id: int

    def get(self, path: str, **query: object) -> Any:
        """Ask, and print request and answer."""
        return self._say(f"GET  {path}", dict(query), self.client.get(path, **query))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Order, and print request and answer."""
        return self._say(f"POST {path}", body, self.client.post(path, body))

    def hear(self, event_type: str, reference: str, status: str) -> dict[str, Any]:
        """Wait for a genuine webhook, and print that it came."""
        event = self.receiver.wait(event_type, reference, status)
        console.print(
            f"   webhook   {event_type} {status} received, signature verified, event {event['eventId']}", soft_wrap=True
        )
        return event

    @staticmethod
    def operate(*arguments: str) -> None:
        """Do what an operator does on the command line, and print it."""
        console.print(f"   operator  bpn {shlex.join(arguments)}", style="bold", soft_wrap=True)
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "bpn", *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SandboxFailed(f"bpn {shlex.join(arguments)}: {done.stderr.strip()}")

    @staticmethod
    def say(text: str) -> None:
        """Print a remark."""
        console.print(f"   {text}", soft_wrap=True, markup=False)

    @staticmethod
    def _say(request: str, sent: dict[str, Any], answer: Any) -> Any:
        console.print(f"   {request}", style="bold")
        console.print(f"   request   {json.dumps(sent)}", soft_wrap=True, markup=False)
        console.print(f"   answer    {json.dumps(answer)}", soft_wrap=True, markup=False)
        return answer
