"""Mail over real SMTP: handed over, refused, put off; with TLS; and the sandbox's mailbox that a person can open."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bpn.adapters.mail.mailbox.folder import MailFolder
from bpn.adapters.mail.mailbox.server import MailboxServer
from bpn.adapters.mail.smtp import Security, SmtpMailer, SmtpServer
from bpn.kernel.clock import Clock
from bpn.ports.readers import SourceUnavailableError
from bpn.ports.senders import Mail, MailRefusedError
from installation import Installation

MAIL = Mail("code-1", "ana@example.com", "Your code", "Your code is 123456.\nSão Paulo\n")


def mailer(server: Callable[[], SmtpServer | None] | SmtpServer | None) -> SmtpMailer:
    return SmtpMailer(
        server if callable(server) else lambda: server,
        sender="no-reply@bpn.example",
        sender_name="BPN",
        clock=Clock(),
        timeout_seconds=5,
    )


class Handler:
    """A server that answers each step as told."""

    def __init__(self, recipient: str = "250 OK", data: str = "250 OK") -> None:
        self.recipient, self.data = recipient, data
        self.received: list[bytes] = []

    async def handle_RCPT(self, _server: object, _session: object, envelope: object, address: str, _o: object) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]
        return self.recipient

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802
        self.received.append(envelope.content)  # type: ignore[attr-defined]
        return self.data


@asynccontextmanager
async def listening(handler: Handler, *, tls: ssl.SSLContext | None = None, **options: object) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(functools.partial(SMTP, handler, loop=loop, **options), "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server for localhost, and of a client that trusts it."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


class TestSmtp:
    async def test_hands_a_message_over(self) -> None:
        handler = Handler()
        async with listening(handler) as port:
            await mailer(SmtpServer("127.0.0.1", port, Security.NONE)).send(MAIL)
        (content,) = handler.received
        assert b"Message-ID: <code-1@bpn.example>" in content
        assert b"Auto-Submitted: auto-generated" in content

    @pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
    async def test_protected_and_logged_in(
        self, certificates: tuple[ssl.SSLContext, ssl.SSLContext], security: Security
    ) -> None:
        server, client = certificates
        handler = Handler()

        def authenticate(_server: object, _session: object, _envelope: object, _how: str, data: object) -> AuthResult:
            return AuthResult(success=data == LoginPassword(b"bpn", b"secret"))

        immediate = security is Security.TLS
        options = {
            "authenticator": authenticate,
            "auth_required": not immediate,
            "auth_require_tls": not immediate,
            "tls_context": None if immediate else server,
            "require_starttls": not immediate,
        }
        async with listening(handler, tls=server if immediate else None, **options) as port:
            known = SmtpServer("localhost", port, security, "bpn", "secret", client)
            await mailer(known).send(MAIL)
            assert len(handler.received) == 1
            wrong = SmtpServer("localhost", port, security, "bpn", "guess", client)
            with pytest.raises(SourceUnavailableError):
                await mailer(wrong).send(MAIL)
            untrusted = SmtpServer("localhost", port, security, "bpn", "secret", ssl.create_default_context())
            with pytest.raises(SourceUnavailableError):
                await mailer(untrusted).send(MAIL)
        assert len(handler.received) == 1

    @pytest.mark.parametrize(
        ("handler", "error"),
        [
            (Handler(recipient="550 No such mailbox"), MailRefusedError),
            (Handler(recipient="450 Try later"), SourceUnavailableError),
            (Handler(data="554 Spam"), MailRefusedError),
            (Handler(data="451 Try later"), SourceUnavailableError),
        ],
    )
    async def test_tells_never_from_later(self, handler: Handler, error: type[Exception]) -> None:
        async with listening(handler) as port:
            with pytest.raises(error):
                await mailer(SmtpServer("127.0.0.1", port, Security.NONE)).send(MAIL)

    async def test_nobody_listens(self) -> None:
        async with listening(Handler()) as port:
            pass
        with pytest.raises(SourceUnavailableError):
            await mailer(SmtpServer("127.0.0.1", port, Security.NONE)).send(MAIL)
        with pytest.raises(SourceUnavailableError):
            await mailer(None).send(MAIL)

    @pytest.mark.parametrize(
        "mail",
        [
            Mail("1", "ana@example.com\r\nBcc: eve@example.com", "Code", "text"),
            Mail("1", "ana@example.com", "Code\nBcc: eve@example.com", "text"),
        ],
    )
    async def test_no_header_can_be_smuggled_in(self, mail: Mail) -> None:
        handler = Handler()
        async with listening(handler) as port:
            with pytest.raises(MailRefusedError):
                await mailer(SmtpServer("127.0.0.1", port, Security.NONE)).send(mail)
        assert handler.received == []


class TestMailbox:
    async def test_keeps_the_newest_messages(self, tmp_path: Path) -> None:
        folder = MailFolder(tmp_path / "mailbox")
        assert folder.messages() == []
        for number in range(503):
            folder.add(f"From: a@b.c\nTo: t{number}@b.c\nSubject: {number}\n\nText {number}".encode())
        messages = folder.messages(limit=1000)
        assert (len(messages), messages[0].subject, messages[-1].subject) == (500, "502", "3")
        assert [mail.text for mail in folder.messages("T7@B.C")] == ["Text 7"]

    async def test_refuses_addresses_that_have_no_mailbox(self, tmp_path: Path) -> None:
        server = MailboxServer(MailFolder(tmp_path))
        host, _, port = (await server.start()).partition(":")
        try:
            with pytest.raises(MailRefusedError):
                await mailer(SmtpServer(host, int(port), Security.NONE)).send(
                    Mail("1", "bob@refused.example", "Code", "text")
                )
        finally:
            await server.stop()

    async def test_a_person_opens_it_in_a_browser(self, house: Installation) -> None:
        assert house.parts.mailer is not None
        await house.parts.mailer.send(Mail("m-1", "eva@example.com", "<b>Your code</b>", "It is <i>654321</i>."))
        listed = await house.http.get("/sandbox/mailbox")
        assert listed.status_code == 200
        assert "&lt;b&gt;Your code&lt;/b&gt;" in listed.text
        assert "default-src 'none'" in listed.headers["content-security-policy"]
        found = (await house.http.get("/sandbox/mailbox/messages.json", params={"to": "eva@example.com"})).json()
        (mail,) = found["list"]
        assert (mail["message_id"], mail["text"].strip()) == (
            "m-1@sandbox.bpn.example", "It is <i>654321</i>."
        )  # fmt: skip
        shown = await house.http.get(f"/sandbox/mailbox/{mail['name']}")
        assert "It is &lt;i&gt;654321&lt;/i&gt;." in shown.text
        for path in ("nothing", "..%2F..%2Fmaster.key", "%2e%2e"):
            assert (await house.http.get(f"/sandbox/mailbox/{path}")).status_code in {200, 404}
        assert (await house.http.get("/sandbox/mailbox/nothing")).status_code == 404
