"""Play seeds outside pytest: `python tests/simulation/run.py --seed 7`, or many in parallel processes."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import psycopg  # noqa: E402 - after the path

from bpn.adapters.postgres.embedded import EmbeddedPostgres  # noqa: E402
from bpn.database.migrate import upgrade  # noqa: E402
from simulation import WrongError, forget_everything, play, simulated_house  # noqa: E402


async def play_all(seeds: range, folder: Path, url: str, *, loud: bool) -> int:
    """Play seeds one after another; how many went wrong."""
    wrong = 0
    async with simulated_house(url, folder, loud=loud) as (house, clock):
        for seed in seeds:
            forget_everything(url)
            try:
                await play(house, clock, seed)
            except WrongError as error:
                wrong += 1
                print(error, flush=True)
                if loud and error.__cause__ is not None:
                    traceback.print_exception(error.__cause__)
    return wrong


def run(seeds: range, *, loud: bool) -> int:
    """Play seeds on a server of their own; how many went wrong."""
    with tempfile.TemporaryDirectory(prefix="bpn-simulation-") as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "server")
        server.start()
        try:
            url = server.url("simulation")
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE simulation")
                connection.execute("ALTER DATABASE simulation SET synchronous_commit = off")
            upgrade(url)
            return asyncio.run(play_all(seeds, folder / "data", url, loud=loud))
        finally:
            server.stop()


def main() -> None:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one only, and show the log")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    if given.seed is not None:
        wrong = run(range(given.seed, given.seed + 1), loud=True)
    elif given.processes == 1:
        wrong = run(range(given.first, given.first + given.seeds), loud=False)
    else:
        share = -(-given.seeds // given.processes)
        parts = [range(start, min(start + share, given.seeds)) for start in range(0, given.seeds, share)]
        command = [sys.executable, __file__, "--first"]
        started = [subprocess.Popen([*command, str(part.start), "--seeds", str(len(part))]) for part in parts]
        wrong = sum(process.wait() for process in started)
    print(f"{time.monotonic() - began:.0f} s, {'all well' if not wrong else 'something is wrong'}", flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
