"""A merchant's webhook receiver."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bpn.cli.sandbox import wait_for
from bpn.client import webhook_is_genuine


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

        return wait_for(find, f"the webhook {event_type} {status} of {reference}")
