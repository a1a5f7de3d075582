"""`bpn demo`: the main job in a fresh sandbox, through signed HTTP, with everything that happens printed."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from bpn.cli.installation import configure_logging, in_house, say
from bpn.cli.ledger import show_comparisons, show_verification, verify_ledger
from bpn.cli.sandbox import SENDER, SandboxFailed, find_record, fresh_sandbox, wait_for
from bpn.client import Client, webhook_is_genuine
from bpn.settings import Settings

_OWN_ADDRESS = "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE"
console = Console(width=110, highlight=False)


@dataclass
class Receiver:
    """A merchant's webhook receiver: keeps what is genuine, refuses the rest."""

    secret: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def listening(self) -> Any:
        """Serve on a free port of this machine."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                genuine = webhook_is_genuine(receiver.secret, dict(self.headers), body)
                if genuine:
                    receiver.events.append(json.loads(body))
                self.send_response(204 if genuine else 401)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
                """Say nothing: the demo prints what matters."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/webhooks"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def wait(self, event_type: str, reference: str, status: str) -> dict[str, Any]:
        """The genuine event of this type, object and status, once it has come."""

        def find() -> dict[str, Any] | None:
            wanted = {"eventType": event_type, "referenceId": reference, "status": status}
            return next((event for event in list(self.events) if wanted.items() <= event.items()), None)

        event = wait_for(find, f"the webhook {event_type} {status} of {reference}")
        console.print(
            f"   webhook   {event_type} {status} received, signature verified, event {event['eventId']}", soft_wrap=True
        )
        return event


def demo() -> None:
    """Run the main job end to end in a fresh sandbox and print what happens."""
    configure_logging()
    started = time.monotonic()
    console.print("[bold]BPN demo[/]: a fresh sandbox with its own PostgreSQL, chains, API and worker.\n")
    try:
        with Receiver().listening() as receiver, fresh_sandbox() as sandbox:
            receiver.secret = sandbox.api_secret
            with sandbox.client() as client:
                Journey(client, receiver, sandbox.wallet_id).run()
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

    _headline("The books: every sum, every balance recomputed, the hash chain; then ledger against chain")
    found = in_house(settings, verify_ledger)
    show_verification(found)
    agree = show_comparisons(in_house(settings, compare_with_chains))
    console.print("Ledger and chain agree." if agree else "Ledger and chain DIFFER.")
    return agree and not found.findings


class Journey:
    """What a merchant does in a day: money in, money around, money out."""

    def __init__(self, client: Client, receiver: Receiver, wallet_id: int) -> None:
        self._client = client
        self._receiver = receiver
        self._wallet_id = wallet_id

    def run(self) -> None:
        """The steps in order."""
        _headline("1. Where shall webhooks go?")
        self._post("/v1/webhook/endpoint/set", {"url": self._receiver.url})
        self._deposit()
        self._balance()
        self._transfer()
        self._withdraw()
        self._balance()
        self._history()

    def _deposit(self) -> None:
        _headline("2. A deposit: 250 USDT arrive on BSC, their sender is named, they are released")
        token = {"walletId": self._wallet_id, "currency": "USDT", "network": "BSC"}
        self._get("/v1/wallet/deposit-address", **token)
        hash_ = self._post("/v1/mock/wallet/deposit", {**token, "amount": "250"})["hash"]
        console.print(f"   on chain  transaction {hash_}")
        deposit = wait_for(lambda: find_record(self._client, hash=hash_), "the deposit to be seen")
        reference = deposit["transactionId"]
        self._receiver.wait("TRANSACTION_STATUS", reference, "CONFIRMING")
        self._receiver.wait("DEPOSIT_SENDER_REQUIRED", reference, "SENDER_REQUIRED")
        self._post("/v1/wallet/add-deposit-sender", {"transactionId": reference, **SENDER})
        self._receiver.wait("TRANSACTION_STATUS", reference, "COMPLETED")

    def _transfer(self) -> None:
        _headline("3. A transfer between two wallets of the merchant: at once, without fee")
        sub = self._post("/v1/wallet/sub-account/create", {"name": "Store 12", "requestId": "store-12"})
        order = {
            "merchantTransactionId": "transfer-1",
            "fromWalletId": self._wallet_id,
            "toWalletId": sub["walletId"],
            "currency": "USDT",
            "amount": "50",
        }
        first = self._post("/v1/wallet/internal-transfer", order)
        self._receiver.wait("TRANSACTION_STATUS", first["transactionId"], "SUCCESS")
        again = self._client.post("/v1/wallet/internal-transfer", order)
        if again != first:
            raise SandboxFailed("a repeated transfer was answered otherwise")
        console.print("   the same request again: the same answer, nothing moved twice")

    def _withdraw(self) -> None:
        _headline("4. A withdrawal: the address is whitelisted, 120 USDT leave on BSC")
        entry = self._post(
            "/v1/wallet/add-withdraw-whitelist",
            {
                "requestId": "whitelist-1",
                "currency": "USDT",
                "network": "BSC",
                "address": _OWN_ADDRESS,
                "alias": "Treasury",
                "addressType": 1,
                "beneficiary": {"type": "individual", "firstName": "Ana", "lastName": "Sousa", "country": "mx"},
            },
        )
        self._receiver.wait("WALLET_ADDRESS_WHITELIST", entry["whitelistId"], "APPROVED")
        withdrawal = self._post(
            "/v1/wallet/withdraw",
            {
                "merchantTransactionId": "withdrawal-1",
                "walletId": self._wallet_id,
                "currency": "USDT",
                "network": "BSC",
                "address": _OWN_ADDRESS,
                "amount": "120",
            },
        )
        reference = withdrawal["transactionId"]
        sent = self._receiver.wait("TRANSACTION_STATUS", reference, "BROADCAST")
        console.print(f"   on chain  transaction {sent['data']['hash']}")
        self._receiver.wait("TRANSACTION_STATUS", reference, "SUCCESS")

    def _balance(self) -> None:
        self._get("/v1/wallet/asset-balance", currency="USDT")

    def _history(self) -> None:
        _headline("5. The history")
        table = Table("Type", "Amount", "Fee", "Status", "Transaction hash")
        for row in self._client.get("/v1/wallet/history")["list"]:
            table.add_row(
                row["transactionType"], f"{row['amount']} {row['currency']}", row["fee"], row["status"], row["hash"]
            )
        console.print(table)

    def _get(self, path: str, **query: object) -> Any:
        return self._say(f"GET  {path}", dict(query), self._client.get(path, **query))

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._say(f"POST {path}", body, self._client.post(path, body))

    @staticmethod
    def _say(request: str, sent: dict[str, Any], answer: Any) -> Any:
        console.print(f"   {request}", style="bold")
        console.print(f"   request   {json.dumps(sent)}", soft_wrap=True, markup=False)
        console.print(f"   answer    {json.dumps(answer)}", soft_wrap=True, markup=False)
        return answer


def _headline(text: str) -> None:
    console.print(f"\n[bold cyan]{text}[/]")
