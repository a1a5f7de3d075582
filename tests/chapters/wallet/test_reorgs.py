"""Reorgs up to the setting and beyond it, spent money that vanishes, catching up in ranges."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from bpn.kernel.errors import InvalidRequest
from bpn.ledger import operations as ledger
from conftest import copy_database
from installation import Installation, Merchant, open_installation

DEPTH, RANGE = 8, 10
TRANSFER = "/v1/wallet/internal-transfer"


@pytest.fixture(scope="module")
async def house(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation that follows reorgs of eight blocks and reads ten at once."""
    chains = {"BSC": {"reorg_depth": DEPTH, "read_range": RANGE}}
    async with open_installation(copy_database(server), tmp_path_factory.mktemp("deep"), chains=chains) as house:
        await house.chains["BSC"].mine(DEPTH + 2)
        await house.work()
        yield house


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def bury(house: Installation, blocks: int) -> None:
    await house.chains["BSC"].mine(blocks)
    await house.work()


async def test_a_reorg_of_as_many_blocks_as_set_is_followed(house: Installation, merchant: Merchant) -> None:
    record = await merchant.receive("10")
    head = await house.nodes["BSC"].head()
    receipt = await house.nodes["BSC"].receipt(record["hash"])
    assert receipt is not None
    await bury(house, DEPTH - (head.number - receipt.block_number + 1))
    await house.chains["BSC"].reorganise(DEPTH, keep=False)
    await house.work()
    gone = await merchant.record(hash=record["hash"])
    assert gone is not None
    assert gone["status"] == "ORPHANED"
    assert await merchant.available() == "0"


async def test_spent_money_that_vanishes_is_owed_and_repaid_when_it_is_mined_again(
    house: Installation, merchant: Merchant
) -> None:
    sub = await merchant.sub_wallet()
    record = await merchant.receive("10")
    order = {"fromWalletId": merchant.wallet_id, "toWalletId": sub, "currency": "USDT", "amount": "7"}
    await merchant.post(TRANSFER, order)
    receipt = await house.nodes["BSC"].receipt(record["hash"])
    assert receipt is not None
    depth = (await house.nodes["BSC"].head()).number - receipt.block_number + 1
    await house.chains["BSC"].reorganise(depth, keep=True)
    await house.work()
    assert (await merchant.available(), await merchant.available(wallet_id=sub)) == ("0", "7")
    await house.until(lambda: merchant.record(hash=record["hash"], status="COMPLETED"))
    assert (await merchant.available(), await merchant.available(wallet_id=sub)) == ("3", "7")


async def test_a_deeper_reorg_stops_the_reading_until_an_operator_resumes_it(
    house: Installation, merchant: Merchant
) -> None:
    record = await merchant.receive("10")
    receipt = await house.nodes["BSC"].receipt(record["hash"])
    assert receipt is not None
    await bury(house, DEPTH + 2)
    depth = (await house.nodes["BSC"].head()).number - receipt.block_number + 1
    await house.chains["BSC"].reorganise(depth, keep=False)
    with capture_logs() as logs:
        await house.work()
    assert [entry["log_level"] for entry in logs if entry["event"] == "chain.reading_stopped"] == ["error"]
    new = await merchant.deposit("5")
    await bury(house, 4)
    assert await merchant.record(hash=new) is None
    assert await merchant.available() == "10"
    ready = await house.http.get("/health/ready")
    assert ready.status_code == 503
    assert "reading is stopped" in ready.json()["checks"]["chain BSC"]
    async with house.parts.database.transaction() as tx:
        with pytest.raises(InvalidRequest):
            await wallet.resume_reading(tx, "BSC", 10**9, Decision(True, "ana", "too far"))
    async with house.parts.database.transaction() as tx:
        await wallet.resume_reading(tx, "BSC", receipt.block_number, Decision(True, "ana", "the chain was rolled back"))
        (entry,) = [entry for entry in await audit.list_entries(tx) if entry.action == "network.resume BSC"]
    assert (entry.actor, entry.after, entry.reason) == ("ana", str(receipt.block_number), "the chain was rolled back")
    await house.until(lambda: merchant.record(hash=new, status="SENDER_REQUIRED"))
    gone = await merchant.record(hash=record["hash"])
    assert gone is not None
    assert gone["status"] == "ORPHANED"
    assert (await merchant.balance())["available"] == "0"
    assert (await house.http.get("/health/ready")).status_code == 200


async def test_catching_up_goes_in_ranges_says_so_and_misses_nothing(house: Installation, merchant: Merchant) -> None:
    hashes = []
    for _ in range(4):
        hashes.append(await merchant.deposit("10"))
        await house.chains["BSC"].mine(RANGE)
    with capture_logs() as logs:
        await house.work()
    told = [entry["block"] for entry in logs if entry["event"] == "chain.catching_up"]
    assert len(told) == 3
    assert told == sorted(told)
    rows = (await merchant.get("/v1/wallet/history"))["list"]
    assert sorted(row["hash"] for row in rows) == sorted(hashes)
    assert {row["status"] for row in rows} == {"SENDER_REQUIRED"}


async def test_the_ledger_is_sound_after_all_this(house: Installation) -> None:
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
