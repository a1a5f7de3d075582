"""Catching up: a network that was not read for 10,000 blocks, with 2,000 deposits in them."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from pathlib import Path

import psycopg

from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import HistoryFilter
from bpn.cli.bench.figure import Course, Figure
from bpn.cli.installation import migrate_database, say
from bpn.settings import Settings
from bpn.wiring.chains import sandbox_server
from bpn.wiring.house import House, embedded_postgres, open_house
from bpn.wiring.merchants import onboard_merchant
from bpn.wiring.sandbox import sandbox_chains
from bpn.wiring.workers import open_workers

BLOCKS, DEPOSITS = 10_000, 2_000
_NETWORK, _CURRENCY = "BSC", "USDT"
_BATCH = 20
"""Deposits sent at once; then come the blocks that they share."""


async def measure(course: Course) -> list[Figure]:
    """On a database and a chain of their own, so that no worker reads along."""
    server = embedded_postgres(course.sandbox.settings, say)
    url = server.url("catchup")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE catchup")
    await asyncio.to_thread(migrate_database, url)
    with tempfile.TemporaryDirectory(prefix="bpn-catchup-") as folder:
        settings = Settings(data_dir=Path(folder), sandbox_block_seconds=3600)
        async with open_house(settings, url) as bare:
            chains = sandbox_server(bare)
            chain_url = await chains.start()
        try:
            async with open_house(settings, url, chain_url=chain_url) as house:
                return [await _catch_up(house)]
        finally:
            await chains.stop()


async def _catch_up(house: House) -> Figure:
    async with open_workers(house) as jobs:
        read = next(job.run for job in jobs if job.name == f"wallet.read_blocks:{_NETWORK}")
        await read()
        merchant_id = (await onboard_merchant(house, "Catching up", None)).merchant.merchant_id
        sent = await _fall_behind(house, merchant_id)
        before, began = _peak(), time.perf_counter()
        while await read():
            pass
        seconds = time.perf_counter() - began
    found = await _found(house, merchant_id)
    errors = len(sent.symmetric_difference(found)) + len(found) - len(set(found))
    grown = (_peak() - before) / 1024
    note = f"{len(set(found)):,} of {len(sent):,} deposits, {errors} missed or doubled, {grown:.0f} MB more at most"
    return Figure(f"catching up {BLOCKS:,} blocks with {DEPOSITS:,} deposits", BLOCKS / seconds, None, note, errors)


async def _fall_behind(house: House, merchant_id: int) -> set[str]:
    """Blocks and deposits that nobody reads yet; the deposits' hashes."""
    chain, token = sandbox_chains(house)[_NETWORK], house.wallet_terms.networks[_NETWORK].tokens[_CURRENCY]
    async with house.database.transaction() as tx:
        address = await wallet.get_deposit_address(house.wallet_terms, tx, merchant_id, None, _CURRENCY, _NETWORK)
    hashes: set[str] = set()
    for _ in range(DEPOSITS // _BATCH):
        hashes |= {
            await chain.send_token(token.contract, address.address, 10**token.asset.scale) for _ in range(_BATCH)
        }
        await chain.mine(BLOCKS * _BATCH // DEPOSITS)
    return hashes


async def _found(house: House, merchant_id: int) -> list[str]:
    hashes: list[str] = []
    before: int | None = None
    while True:
        async with house.database.reading() as tx:
            page = await wallet.list_transactions(
                house.wallet_terms, tx, merchant_id, HistoryFilter(), before=before, offset=0, limit=200
            )
        if not page.transactions:
            return hashes
        hashes += [row.hash or "" for row in page.transactions]
        before = page.transactions[-1].transaction_id


def _peak() -> int:
    """The most memory that this process ever had, KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
