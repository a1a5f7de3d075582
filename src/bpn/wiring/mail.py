"""Mail: the server that is configured, else the sandbox's mailbox."""

from __future__ import annotations

from bpn.adapters.mail.mailbox.folder import MailFolder
from bpn.adapters.mail.mailbox.server import MailboxServer
from bpn.adapters.mail.smtp import Security, SmtpMailer, SmtpServer
from bpn.kernel.clock import Clock
from bpn.ports.senders import Mailer
from bpn.settings import Settings

MAILBOX_ADDRESS_FILE = "mailbox.address"
_SANDBOX_SENDER = "no-reply@sandbox.bpn.example"


def mailer(settings: Settings, clock: Clock) -> Mailer | None:
    """Who sends mail; None outside the sandbox where no server is configured."""
    mail = settings.mail
    if mail is not None:
        server = SmtpServer(
            mail.host,
            mail.port,
            Security(mail.security),
            mail.username,
            None if mail.password is None else mail.password.get_secret_value(),
        )
        return SmtpMailer(lambda: server, sender=mail.sender, sender_name=mail.sender_name, clock=clock)
    if not settings.sandbox:
        return None
    return SmtpMailer(
        lambda: _mailbox_address(settings), sender=_SANDBOX_SENDER, sender_name="BPN sandbox", clock=clock
    )


def mailbox_folder(settings: Settings) -> MailFolder:
    """Where the sandbox's mailbox keeps its messages."""
    return MailFolder(settings.data_dir / "mailbox")


def mailbox_server(settings: Settings) -> MailboxServer:
    """What takes the sandbox's mail."""
    return MailboxServer(mailbox_folder(settings))


def has_mailbox(settings: Settings) -> bool:
    """Whether mail goes to the sandbox's mailbox."""
    return settings.sandbox and settings.mail is None


def _mailbox_address(settings: Settings) -> SmtpServer | None:
    try:
        host, _, port = (settings.data_dir / MAILBOX_ADDRESS_FILE).read_text().partition(":")
    except FileNotFoundError:
        return None
    return SmtpServer(host, int(port), Security.NONE)
