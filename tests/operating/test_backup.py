"""A base backup and archived WAL, restored to a point: sound books, and nothing leaves before nonces agree."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres, _as_server_user, _server_user, binaries
from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from bpn.database.migrate import upgrade
from bpn.ledger import operations as ledger
from installation import Installation, open_installation

WITHDRAW = "/v1/wallet/withdraw"


def program(name: str, *arguments: str) -> list[str]:
    return _as_server_user([str(binaries() / name), *arguments])


def folder(path: Path) -> Path:
    """A folder that the server's user may write."""
    path.mkdir(mode=0o700)
    if (user := _server_user()) is not None:
        os.chown(path, user.pw_uid, user.pw_gid)
    return path


@pytest.fixture
def source(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "source")
    upgrade(server.start())
    yield server
    server.stop()


@pytest.fixture
def archive(source: EmbeddedPostgres, tmp_path: Path) -> Iterator[Path]:
    """The WAL, archived as it is written."""
    path = folder(tmp_path / "archive")
    receiving = subprocess.Popen(
        program("pg_receivewal", "-D", str(path), "-d", source.url("postgres")), cwd="/", stderr=subprocess.DEVNULL
    )
    yield path
    receiving.terminate()
    receiving.wait()


def base_backup(source: EmbeddedPostgres, target: Path) -> None:
    subprocess.run(
        program("pg_basebackup", "-D", str(target), "-d", source.url("postgres"), "-X", "none", "-c", "fast"),
        check=True,
        cwd="/",
        capture_output=True,
    )


def mark(source: EmbeddedPostgres, name: str) -> None:
    with psycopg.connect(source.url("postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_create_restore_point(%s)", (name,))


def let_archive(source: EmbeddedPostgres, archive: Path) -> None:
    """Close the WAL file in use, and wait until it is in the archive."""
    with psycopg.connect(source.url("postgres"), autocommit=True) as connection:
        closed = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        connection.execute("CHECKPOINT")
    assert closed is not None
    for _ in range(600):
        if (archive / str(closed[0])).exists():
            return
        time.sleep(0.05)
    raise AssertionError("the WAL was not archived")


def restore(data: Path, archive: Path, point: str) -> EmbeddedPostgres:
    """Start a server on a base backup that reads the archive up to a point, and serves from there."""
    pgdata = data / "pgdata"
    with (pgdata / "postgresql.auto.conf").open("a") as file:
        file.write(
            f"restore_command = 'cp {archive}/%f %p'\n"
            f"recovery_target_name = '{point}'\nrecovery_target_action = 'promote'\n"
        )
    (pgdata / "recovery.signal").touch()
    if (user := _server_user()) is not None:
        os.chown(pgdata / "recovery.signal", user.pw_uid, user.pw_gid)
    server = EmbeddedPostgres(data)
    server.start()
    with psycopg.connect(server.url("bpn"), autocommit=True) as connection:
        while connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            time.sleep(0.05)
    return server


async def is_sound(house: Installation) -> bool:
    async with house.parts.database.transaction(snapshot=True) as tx:
        return not (await ledger.verify(tx)).findings


async def hot_wallet_count(house: Installation) -> int:
    return await house.nodes["BSC"].transaction_count(house.parts.wallet_terms.hot_address)


async def test_restored_to_a_point_nothing_is_sent_until_nonces_agree(
    source: EmbeddedPostgres, archive: Path, tmp_path: Path
) -> None:
    restored = tmp_path / "restored"
    restored.mkdir()
    base_backup(source, folder(restored / "pgdata"))
    async with open_installation(source.url("bpn"), tmp_path / "house") as house:
        merchant = await house.merchant()
        await merchant.fund("100")
        await merchant.whitelist()
        first = await merchant.post(WITHDRAW, merchant.withdrawal("10"))
        await house.until(lambda: merchant.record(transactionId=first["transactionId"], status="SUCCESS"))
        mark(source, "noon")
        lost = await merchant.post(WITHDRAW, merchant.withdrawal("20"))
        await house.until(lambda: merchant.record(transactionId=lost["transactionId"], status="SUCCESS"))
        let_archive(source, archive)

    async def look_then_accept(after: Installation) -> None:
        """Before any other job runs: the books are those of noon, and the chain knows more than they do."""
        merchant.installation = after
        assert await is_sound(after)
        assert await merchant.record(transactionId=first["transactionId"], status="SUCCESS")
        assert await merchant.record(transactionId=lost["transactionId"]) is None, "it was after noon"
        sent = await hot_wallet_count(after)
        asked.append(await merchant.post(WITHDRAW, merchant.withdrawal("5")))
        for _ in range(3):
            with pytest.raises(wallet.NonceMismatchError):
                await after.job("wallet.send_outgoing:BSC")()
        assert await hot_wallet_count(after) == sent, "nothing leaves"
        async with after.parts.database.transaction() as tx:
            await wallet.accept_nonces(tx, "BSC", sent, Decision(True, "ana", "restored to noon, 20 USDT were lost"))

    asked: list[dict[str, str]] = []
    server = restore(restored, archive, "noon")
    try:
        async with open_installation(server.url("bpn"), tmp_path / "house", look_then_accept) as after:
            await after.until(lambda: merchant.record(transactionId=asked[0]["transactionId"], status="SUCCESS"))
            assert await is_sound(after)
    finally:
        server.stop()
