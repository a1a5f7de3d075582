"""`bpn doctor` finds what is wrong, and nothing where all is well."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from bpn.settings import Settings
from bpn.wiring.diagnosis import diagnose
from bpn.wiring.master_keys import master_key_file
from installation import Installation


async def faults(settings: Settings, url: str, chain_url: str | None) -> dict[str, str]:
    return {one.what: one.fault for one in await diagnose(settings, url, chain_url) if one.fault}


async def test_all_is_well(house: Installation) -> None:
    parts = house.parts
    assert await faults(parts.settings, parts.database_url, parts.chain_url) == {}


async def test_what_others_may_read(house: Installation) -> None:
    parts = house.parts
    path = master_key_file(parts.settings)
    path.chmod(0o644)
    try:
        assert set(await faults(parts.settings, parts.database_url, parts.chain_url)) == {"key file"}
    finally:
        path.chmod(0o600)


async def test_another_installations_key(house: Installation) -> None:
    settings = house.parts.settings.model_copy(update={"master_key": SecretStr("00" * 32)})
    found = await faults(settings, house.parts.database_url, house.parts.chain_url)
    assert set(found) == {"master key opens"}


async def test_no_chains_and_chains_that_do_not_answer(house: Installation) -> None:
    parts = house.parts
    assert set(await faults(parts.settings, parts.database_url, None)) == {"chains"}
    assert set(await faults(parts.settings, parts.database_url, "http://127.0.0.1:9")) == {"chains"}


async def test_no_database_and_one_that_is_not_migrated(house: Installation, database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    nobody = "postgresql://postgres@127.0.0.1:9/bpn"
    assert set(await faults(settings, nobody, None)) == {"database"}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    found = await faults(settings, database_url, None)
    assert "bpn migrate" in found["migrations"]


async def test_a_journal_that_may_be_changed(database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("GRANT UPDATE ON ledger_entries TO bpn_application")
    found = await faults(Settings(data_dir=tmp_path), database_url, None)
    assert set(found) == {"application role"}


@pytest.mark.parametrize("public_url", [None, "http://pay.example"])
async def test_real_networks_ask_for_more(database_url: str, tmp_path: Path, public_url: str | None) -> None:
    chains = {"BSC": {"rpc_url": "http://127.0.0.1:9"}}
    settings = Settings(data_dir=tmp_path, sandbox=False, chains=chains, public_url=public_url)  # type: ignore[arg-type]
    found = await faults(settings, "postgresql://postgres@127.0.0.1:9/bpn", None)
    assert {"public URL", "master key", "database"} <= set(found)
