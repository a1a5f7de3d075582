"""Mail over SMTP: to a server that is configured, or to the sandbox's mailbox wherever it listens."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from enum import StrEnum

import aiosmtplib

from bpn.kernel.clock import Clock
from bpn.ports.readers import SourceUnavailableError
from bpn.ports.senders import Mail, MailRefusedError

_PERMANENT = range(500, 600)
_OURS_TO_MEND = {530, 534, 535, 538}
"""The server does not take us: not the message's fault."""


class Security(StrEnum):
    """How a connection is protected: from the first byte, after STARTTLS, or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    certificates: ssl.SSLContext | None = None
    """Whose certificates are trusted; the machine's when None."""


class SmtpMailer:
    """Hands each message over in a connection of its own.

    Args:
        server: where; asked each time, None while there is none.
        sender: the address that messages come from.
        sender_name: the name beside it.
        clock: dates the messages.
        timeout_seconds: for each step.
    """

    def __init__(
        self,
        server: Callable[[], SmtpServer | None],
        *,
        sender: str,
        sender_name: str,
        clock: Clock,
        timeout_seconds: float = 20,
    ) -> None:
        self._server = server
        self._sender = sender
        self._sender_name = sender_name
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def send(self, mail: Mail) -> None:
        """See Mailer."""
        server = self._server()
        if server is None:
            raise SourceUnavailableError("no mail server runs")
        message = self._message(mail)
        try:
            await aiosmtplib.send(
                message,
                sender=self._sender,
                recipients=[mail.to],
                hostname=server.host,
                port=server.port,
                use_tls=server.security is Security.TLS,
                start_tls=server.security is Security.STARTTLS,
                username=server.username,
                password=server.password,
                tls_context=server.certificates,
                timeout=self._timeout_seconds,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            raise _failure(min(codes, default=0), "the address is refused") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _failure(error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise SourceUnavailableError(f"the mail server: {type(error).__name__}") from error

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        try:
            message["From"] = formataddr((self._sender_name, self._sender))
            message["To"] = mail.to
            message["Subject"] = mail.subject
        except ValueError as error:
            # A line break in an address or a subject would begin a header of somebody else's.
            raise MailRefusedError("the address or the subject cannot stand in a message") from error
        message["Date"] = format_datetime(self._clock.wall())
        message["Message-ID"] = f"<{mail.message_id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def _failure(code: int, text: str) -> Exception:
    if code in _PERMANENT and code not in _OURS_TO_MEND:
        return MailRefusedError(f"{code} {text}")
    return SourceUnavailableError(f"the mail server: {code} {text}")
