"""The SMTP server of the sandbox's mailbox: on loopback, on a free port, for whoever asks."""

from __future__ import annotations

import asyncio
import functools

from aiosmtpd.smtp import SMTP, Envelope, Session

from bpn.adapters.mail.mailbox.folder import MailFolder

_HOST = "127.0.0.1"
_LARGEST_MESSAGE = 1024 * 1024
_ACCEPTED = "250 Message accepted for delivery"
_NOBODY = "550 There is no such mailbox"
REFUSED_ADDRESSES = "@refused.example"
"""Addresses that end so have no mailbox here."""


class MailboxServer:
    """Takes every message into a folder."""

    def __init__(self, folder: MailFolder) -> None:
        self._folder = folder
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen; the address, `127.0.0.1:2525`."""
        loop = asyncio.get_running_loop()
        session = functools.partial(
            SMTP, _Handler(self._folder), data_size_limit=_LARGEST_MESSAGE, enable_SMTPUTF8=True, loop=loop
        )
        self._server = await loop.create_server(session, _HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return f"{_HOST}:{port}"

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


class _Handler:
    """The names of the methods are the library's."""

    def __init__(self, folder: MailFolder) -> None:
        self._folder = folder

    async def handle_RCPT(  # noqa: N802 - see the class
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.lower().endswith(REFUSED_ADDRESSES):
            return _NOBODY
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content or b""
        await asyncio.to_thread(self._folder.add, content.encode() if isinstance(content, str) else content)
        return _ACCEPTED
