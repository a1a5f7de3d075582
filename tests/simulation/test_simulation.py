"""Random histories with crashes, reorgs, lying nodes and bad receivers: the books are right in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
from process import SimulatedClock

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.wiring.house import House
from conftest import copy_database
from simulation import forget_everything, play, simulated_house


@pytest.fixture(scope="module")
async def simulated(
    server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[House, SimulatedClock]]:
    url = copy_database(server)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET synchronous_commit = off")  # type: ignore[arg-type]
    async with simulated_house(url, tmp_path_factory.mktemp("simulated")) as house:
        yield house


@pytest.mark.parametrize("seed", range(40))
async def test_a_seed(simulated: tuple[House, SimulatedClock], seed: int) -> None:
    forget_everything(simulated[0].database_url)
    await play(*simulated, seed)
