"""Handing files to the bank: each once, wherever we die.

A file is written beside the outbox, linked into the archive, then renamed into the outbox. The rename is one step that
both takes the pending name away and makes the file visible to the bank. So a name that is in the archive and not
pending has been handed over, even if the bank has taken it out of the outbox since.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path


class Outbox:
    """The three folders of files that leave; all on one file system."""

    def __init__(self, directory: Path) -> None:
        self._outbox = directory / "outbox"
        self._pending = directory / "outbox" / ".pending"
        self._archive = directory / "archive"

    def hand_over(self, name: str, content: bytes) -> None:
        """Have a file in the outbox once, under this name; the same name again changes nothing."""
        for folder in (self._outbox, self._pending, self._archive):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self._archive / name).exists():
            self._prepare(name, content)
        self._release(name)

    def archived(self, name: str) -> Path | None:
        """A file that was handed over."""
        path = self._archive / name
        return path if path.exists() else None

    def _prepare(self, name: str, content: bytes) -> None:
        """Write the file, and give it its pending and its archived name."""
        own = self._pending / f".{uuid.uuid4().hex}"
        with own.open("xb") as file:
            own.chmod(0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _link(own, self._pending / name)
        own.unlink()
        _sync(self._pending)
        # Whoever links first decides which file it is; what another process has pending is then the same or stale.
        try:
            _link(self._pending / name, self._archive / name)
        except FileNotFoundError:
            return
        _sync(self._archive)

    def _release(self, name: str) -> None:
        pending = self._pending / name
        try:
            if pending.samefile(self._archive / name):
                pending.rename(self._outbox / name)
                _sync(self._outbox)
            else:
                # Prepared by a process that came too late: the file in the archive is the one.
                pending.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        _sync(self._pending)


def _link(old: Path, new: Path) -> None:
    """Give a file a second name, unless that name is taken."""
    try:
        os.link(old, new)
    except FileExistsError:
        return


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
