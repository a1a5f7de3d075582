"""The embedded server: shared by processes, found again after a kill -9, stopped cleanly."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres


def test_started_shared_killed_recovered_stopped(tmp_path: Path) -> None:
    data = tmp_path / "closed" / "data"
    data.parent.mkdir(mode=0o700)
    first, second = EmbeddedPostgres(data), EmbeddedPostgres(data)
    url = first.start()
    assert second.start() == url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n integer)")
        connection.execute("INSERT INTO kept VALUES (1)")
    pid = int((data / "pgdata" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    first._server.wait()  # type: ignore[union-attr]
    time.sleep(0.2)
    with psycopg.connect(second.start()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SELECT current_user").fetchone() == ("postgres",)
    second.stop()
    assert not (data / "pgdata" / "postmaster.pid").exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
