"""Stores of files: a directory, and a bucket of a server that speaks S3; whole or not at all."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from bpn.adapters.files.directory import DirectoryStore
from bpn.adapters.files.s3 import S3Store
from bpn.ports.readers import SourceUnavailableError
from bpn.ports.senders import FileStore

CONTENT = bytes(range(256)) * 1000


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port=port, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{port}"
    httpx.put(f"{url}/bpn-files", trust_env=False).raise_for_status()
    yield url
    server.stop()


def bucket(url: str, name: str = "bpn-files") -> S3Store:
    return S3Store(name, endpoint=url, region="us-east-1", access_key_id="key", secret_access_key="secret")


@pytest.fixture(params=["directory", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FileStore]:
    if request.param == "directory":
        yield DirectoryStore(tmp_path / "files")
    else:
        yield bucket(request.getfixturevalue("s3_url"))


async def test_puts_gets_replaces_and_deletes(store: FileStore) -> None:
    assert await store.get("files/1/2") is None
    await store.put("files/1/2", b"first")
    await store.put("files/1/2", CONTENT)
    assert await store.get("files/1/2") == CONTENT
    await store.delete("files/1/2")
    await store.delete("files/1/2")
    assert await store.get("files/1/2") is None


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "a/../b", "", "a//b", ".hidden"])
async def test_a_key_never_leads_out_of_the_directory(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="is no key"):
        await DirectoryStore(tmp_path).get(key)


async def test_a_directory_holds_whole_files_that_only_we_read(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "files")
    await store.put("files/1/2", CONTENT)
    (file,) = (path for path in (tmp_path / "files").rglob("*") if path.is_file())
    assert (file.name, file.stat().st_mode & 0o777) == ("2", 0o600)


async def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    with pytest.raises(SourceUnavailableError):
        await DirectoryStore(tmp_path / "files").put("a", b"b")


async def test_a_bucket_that_is_not_there_is_told(s3_url: str) -> None:
    with pytest.raises(SourceUnavailableError):
        await bucket(s3_url, "nobodys").put("a", b"b")
