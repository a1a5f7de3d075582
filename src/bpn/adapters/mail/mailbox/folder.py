"""A folder of messages, one file each, the oldest thrown away."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

_KEPT = 500
_NAME = re.compile(r"[0-9]{20}-[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A message as a person reads it; `time` as ISO 8601."""

    name: str
    sender: str
    to: str
    subject: str
    time: str
    message_id: str
    text: str


class MailFolder:
    """The messages in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, content: bytes) -> None:
        """Keep a message, whole or not at all; the oldest beyond 500 go."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}"
        temporary = self._directory / f".{name}"
        temporary.write_bytes(content)
        temporary.rename(self._directory / f"{name}.eml")
        for path in self._newest()[_KEPT:]:
            path.unlink(missing_ok=True)

    def messages(self, to: str | None = None, limit: int = 100) -> list[ReceivedMail]:
        """The newest messages, newest first; only those to one address where given."""
        return list(self._matching(to, limit))

    def _matching(self, to: str | None, limit: int) -> Iterator[ReceivedMail]:
        for path in self._newest():
            mail = _read(path)
            if mail is not None and (to is None or to.casefold() in mail.to.casefold()):
                yield mail
                limit -= 1
                if limit == 0:
                    return

    def find(self, name: str) -> ReceivedMail | None:
        """One message."""
        return _read(self._directory / f"{name}.eml") if _NAME.fullmatch(name) else None

    def _newest(self) -> list[Path]:
        return sorted(self._directory.glob("[0-9]*.eml"), reverse=True)


def _read(path: Path) -> ReceivedMail | None:
    try:
        message = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)
    except FileNotFoundError:
        return None
    body = message.get_body(("plain",))
    date = message["Date"]
    return ReceivedMail(
        path.stem,
        str(message["From"] or ""),
        str(message["To"] or ""),
        str(message["Subject"] or ""),
        parsedate_to_datetime(str(date)).isoformat() if date else "",
        str(message["Message-ID"] or "").strip("<>"),
        str(body.get_content()) if body is not None else "",
    )
