"""Files in a directory: written beside, then moved into place, and on the disk before that is told."""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from bpn.ports.readers import SourceUnavailableError

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)


class DirectoryStore:
    """A FileStore below one directory, made with mode 0700 when it is not there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, key: str, content: bytes) -> None:
        """See FileStore."""
        await _in_thread(partial(_write, self._path(key), content))

    async def get(self, key: str) -> bytes | None:
        """See FileReader."""
        return await _in_thread(partial(_read, self._path(key)))

    async def delete(self, key: str) -> None:
        """See FileStore."""
        await _in_thread(partial(_remove, self._path(key)))

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key")
        return self._directory / key


Result = TypeVar("Result")


async def _in_thread(work: Callable[[], Result]) -> Result:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise SourceUnavailableError(f"the directory of files: {error}") from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.parent / f".{uuid.uuid4().hex}"
    try:
        with temporary.open("xb") as file:
            temporary.chmod(0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent.exists():
        _sync(path.parent)


def _sync(directory: Path) -> None:
    """Have the disk know the directory's names too."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
