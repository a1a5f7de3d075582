"""What `bpn doctor` looks at: everything that an installation needs, each with what is wrong and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from bpn.database.revisions import newest_revision
from bpn.kernel.encryption import Cipher, DecryptionError
from bpn.settings import Settings
from bpn.wiring.chains import ChainMismatchError, check_chains
from bpn.wiring.house import House, open_house
from bpn.wiring.master_keys import master_key_file, read_master_keys

OLDEST_POSTGRES = 150_000
"""Version 15, as the server counts."""
LARGEST_SKEW_SECONDS = 5.0
LEAST_FREE_BYTES = 2 * 1024**3
_FORBIDDEN_MODE = 0o077


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fault` is None when it is well."""

    what: str
    fault: str | None
    detail: str = ""


async def diagnose(settings: Settings, database_url: str, chain_url: str | None) -> list[Finding]:
    """Look at settings, disk, database, master key and chains. Changes nothing, raises nothing that is a finding."""
    findings = [*_settings(settings), _disk(settings), _key_file(settings)]
    in_database = await _database(settings, database_url)
    findings += in_database
    if any(finding.fault for finding in in_database):
        return findings
    try:
        async with open_house(settings, database_url, chain_url=chain_url) as house:
            findings.append(await _chains(house))
    except DecryptionError:
        findings.append(Finding("master key", "it does not open what is sealed here; is it another installation's?"))
    return findings


def _settings(settings: Settings) -> Iterator[Finding]:
    mode = "sandbox" if settings.sandbox else "real networks"
    yield Finding("settings", None, mode)
    if settings.sandbox:
        return
    insecure = settings.public_url is None or not settings.public_url.startswith("https://")
    yield Finding("public URL", "BPN_PUBLIC_URL should be the https:// URL that clients use" if insecure else None)
    in_file = settings.master_key is None
    yield Finding(
        "master key", "it lies beside the data; give it as BPN_MASTER_KEY and keep the two apart" if in_file else None
    )


def _disk(settings: Settings) -> Finding:
    place = settings.data_dir if settings.data_dir.exists() else settings.data_dir.absolute().parent
    free = shutil.disk_usage(place).free
    detail = f"{free / 1024**3:.1f} GiB free"
    return Finding("disk", "less than 2 GiB are free" if free < LEAST_FREE_BYTES else None, detail)


def _key_file(settings: Settings) -> Finding:
    path = master_key_file(settings)
    if settings.master_key is not None or not path.exists():
        return Finding("key file", None, "none")
    mode = path.stat().st_mode & 0o777
    return Finding("key file", f"others may read it (mode {mode:o}); chmod 600" if mode & _FORBIDDEN_MODE else None)


async def _database(settings: Settings, url: str) -> list[Finding]:
    looks: list[tuple[str, Callable[[psycopg.AsyncConnection[tuple[str, ...]]], Awaitable[Finding]]]] = [
        ("database version", _version),
        ("database clock", _clock),
        ("commits", _commits),
        ("migrations", _migrations),
        ("application role", _role),
    ]
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=10) as connection:
            findings = []
            for what, look in looks:
                try:
                    findings.append(await look(connection))
                except psycopg.Error as error:
                    findings.append(Finding(what, type(error).__name__))
            if not any(finding.fault for finding in findings):
                findings.append(await _master_key(settings, connection))
            return findings
    except psycopg.OperationalError as error:
        return [Finding("database", f"it does not answer: {str(error).strip().splitlines()[0]}")]


async def _value(connection: psycopg.AsyncConnection[tuple[str, ...]], statement: str) -> str:
    cursor = await connection.execute(statement)
    ((value,),) = await cursor.fetchall()
    return str(value)


async def _version(connection: psycopg.AsyncConnection[tuple[str, ...]]) -> Finding:
    number = int(await _value(connection, "SELECT current_setting('server_version_num')"))
    old = "BPN needs PostgreSQL 15 or newer" if number < OLDEST_POSTGRES else None
    return Finding("database version", old, await _value(connection, "SELECT current_setting('server_version')"))


async def _clock(connection: psycopg.AsyncConnection[tuple[str, ...]]) -> Finding:
    there = datetime.fromisoformat(await _value(connection, "SELECT clock_timestamp()"))
    skew = abs((datetime.now(UTC) - there).total_seconds())
    fault = "this machine and the database disagree about the time" if skew > LARGEST_SKEW_SECONDS else None
    return Finding("database clock", fault, f"{skew:.1f} s apart")


async def _commits(connection: psycopg.AsyncConnection[tuple[str, ...]]) -> Finding:
    is_lazy = "off" in {
        await _value(connection, "SELECT current_setting('fsync')"),
        await _value(connection, "SELECT current_setting('synchronous_commit')"),
    }
    return Finding("commits", "fsync and synchronous_commit must be on: a crash could lose money" if is_lazy else None)


async def _migrations(connection: psycopg.AsyncConnection[tuple[str, ...]]) -> Finding:
    found = await _value(connection, "SELECT string_agg(version_num, ',') FROM alembic_version")
    newest = newest_revision()
    return Finding("migrations", None if found == newest else f"at {found}, not {newest}; run `bpn migrate`", found)


async def _role(connection: psycopg.AsyncConnection[tuple[str, ...]]) -> Finding:
    may = await _value(connection, "SELECT has_table_privilege('bpn_application', 'ledger_entries', 'UPDATE, DELETE')")
    return Finding(
        "application role", "it may change the journal; run the migrations as they are" if may == "True" else None
    )


async def _master_key(settings: Settings, connection: psycopg.AsyncConnection[tuple[str, ...]]) -> Finding:
    keys = read_master_keys(settings)
    cursor = await connection.execute("SELECT name, sealed FROM sealed_secrets")
    rows = await cursor.fetchall()
    cipher = Cipher(*keys)
    for name, sealed in rows:
        try:
            cipher.open(bytes(sealed), f"sealed_secrets/{name}")  # type: ignore[arg-type]
        except DecryptionError:
            return Finding("master key opens", f"not {name}: is it another installation's key?")
    rotating = "a rotation stands; finish it with `bpn key rotate-master --finish`" if len(keys) > 1 else None
    return Finding("master key opens", rotating, f"{len(rows)} secrets")


async def _chains(house: House) -> Finding:
    if house.settings.simulated_chains and house.chain_url is None:
        return Finding("chains", "the sandbox's chains do not run; start `bpn up` or `bpn chain`")
    try:
        await check_chains(house)
    except ChainMismatchError as error:
        return Finding("chains", str(error))
    except Exception as error:  # noqa: BLE001 - whatever keeps a node from answering is the finding
        return Finding("chains", f"a node does not answer: {type(error).__name__}")
    return Finding("chains", None, ", ".join(house.settings.chains))
