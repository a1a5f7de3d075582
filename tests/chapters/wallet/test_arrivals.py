"""What arrives in odd ways: batches, contracts, foreign and greedy tokens, failures, native coin, hidden transfers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpn.adapters.chain.sandbox.tokens import CONTRACTS
from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model.reading import Uncredited
from conftest import copy_database
from installation import SENDER, Installation, Merchant, open_installation
from outsider import OUTSIDER, Outsider, address_of_contract, outsider

UNIT = 10**18
USDT = CONTRACTS["USDT"]
GREEDY = address_of_contract(OUTSIDER, 0)
"""Where the greedy token stands: the first that the outsider deploys."""


@pytest.fixture(scope="module")
async def house(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation that takes a token which keeps a fee and does not tell."""

    async def deploy(house: Installation) -> None:
        made = await outsider(house.nodes["BSC"], house.chains["BSC"])
        assert await made.deploy("greedy_token", ("string", "Greedy"), ("string", "GRDY"), ("uint8", 18)) == GREEDY

    chains = {"BSC": {"tokens": {"GREEDY": {"contract": GREEDY, "scale": 18}}}}
    folder = tmp_path_factory.mktemp("odd")
    async with open_installation(copy_database(server), folder, deploy, chains=chains) as house:
        yield house


@pytest.fixture(scope="module")
async def somebody(house: Installation) -> Outsider:
    return Outsider(house.nodes["BSC"], house.chains["BSC"], 56, OUTSIDER)


@pytest.fixture(scope="module")
async def payer(house: Installation, somebody: Outsider) -> str:
    """A contract that holds tokens and pays them out."""
    address = await somebody.deploy("payer")
    await house.chains["BSC"].send_token(USDT, address, 1_000_000 * UNIT)
    await house.chains["BSC"].mine(1)
    return address


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def address_of(merchant: Merchant, currency: str = "USDT", wallet_id: int | None = None) -> str:
    query = {"currency": currency, "network": "BSC", "walletId": wallet_id or merchant.wallet_id}
    return str((await merchant.get("/v1/wallet/deposit-address", **query))["address"])


async def amounts(merchant: Merchant) -> list[tuple[str, str]]:
    rows: list[dict[str, Any]] = (await merchant.get("/v1/wallet/history"))["list"]
    return sorted((row["amount"], row["status"]) for row in rows)


async def uncredited(house: Installation, merchant: Merchant) -> list[Uncredited]:
    for _ in range(4):
        await house.round()
    async with house.parts.database.reading() as tx:
        listed = await wallet.list_uncredited(tx, before=None, limit=100)
    return [one for one in listed if one.merchant_id == merchant.merchant_id]


class TestSenders:
    async def test_a_batch_is_credited_log_by_log_to_whom_each_went(
        self, house: Installation, merchant: Merchant, somebody: Outsider, payer: str
    ) -> None:
        other, sub = await house.merchant(), await merchant.sub_wallet()
        targets = [await address_of(merchant), await address_of(other), await address_of(merchant, "USDT", sub)]
        hash_ = await somebody.call(
            payer, "pay_many(address,address[],uint256[])", USDT,
            [targets[0], targets[1], targets[0], targets[2], OUTSIDER], [5 * UNIT, 6 * UNIT, 5 * UNIT, 7 * UNIT, UNIT],
        )  # fmt: skip
        for _ in range(3):
            await house.round()
        rows = (await merchant.get("/v1/wallet/history", hash=hash_))["list"]
        assert sorted(row["amount"] for row in rows) == ["5", "5", "7"]
        assert {row["status"] for row in rows} == {"SENDER_REQUIRED"}
        assert {row["fromAddress"] for row in rows} == {payer}
        assert await amounts(other) == [("6", "SENDER_REQUIRED")]
        for row in rows:
            await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": row["transactionId"], **SENDER})
        await house.work()
        assert await merchant.available() == "10"
        assert await merchant.available(wallet_id=sub) == "7"

    async def test_a_contract_that_pays_another_amount_after_a_reorg_credits_what_stands_in_the_end(
        self, house: Installation, merchant: Merchant, somebody: Outsider, payer: str
    ) -> None:
        chain, node = house.chains["BSC"], house.nodes["BSC"]
        if (await node.head()).number % 2 == 0:
            await chain.mine(1)
        await house.work()
        target = await address_of(merchant)
        hash_ = await somebody.call(payer, "pay_by_block(address,address,uint256)", USDT, target, 5 * UNIT)
        first = await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
        await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": first["transactionId"], **SENDER})
        await house.until(lambda: merchant.record(hash=hash_, status="COMPLETED"))
        assert await merchant.available() == "5"
        before = await node.receipt(hash_)
        assert before is not None
        if ((await node.head()).number - before.block_number) % 2 == 0:
            await house.round()
        # The other branch is one block longer, so that the transaction's new block has the other parity.
        await chain.reorganise((await node.head()).number - before.block_number + 1, keep=True)
        await house.round()
        after = await node.receipt(hash_)
        assert after is not None
        assert after.block_number % 2 != before.block_number % 2
        await house.until(lambda: merchant.record(hash=hash_, status="COMPLETED"))
        assert await merchant.available() == "10"
        assert await amounts(merchant) == [("10", "COMPLETED")]


class TestUncredited:
    async def test_a_fake_token_of_the_same_name_is_recorded_and_not_credited(
        self, house: Installation, merchant: Merchant, somebody: Outsider
    ) -> None:
        target = await address_of(merchant)
        fake = await somebody.deploy("token", ("string", "Sandbox Tether"), ("string", "USDT"), ("uint8", 18))
        hash_ = await somebody.call(fake, "mint(address,uint256)", target, 1_000 * UNIT)
        (record,) = await uncredited(house, merchant)
        assert (record.arrival.kind, record.arrival.hash, record.arrival.contract) == ("UNKNOWN_TOKEN", hash_, fake)
        assert record.arrival.amount == 1_000 * UNIT
        assert await amounts(merchant) == []

    async def test_native_coin_is_recorded_and_not_credited(self, house: Installation, merchant: Merchant) -> None:
        await house.chains["BSC"].send_native(await address_of(merchant), UNIT)
        (record,) = await uncredited(house, merchant)
        assert (record.arrival.kind, record.arrival.amount, record.arrival.contract) == ("NATIVE_COIN", UNIT, None)
        assert await amounts(merchant) == []

    async def test_a_transfer_of_0_is_recorded_and_not_credited(
        self, house: Installation, merchant: Merchant, somebody: Outsider
    ) -> None:
        await somebody.call(USDT, "transfer(address,uint256)", await address_of(merchant), 0)
        (record,) = await uncredited(house, merchant)
        assert (record.arrival.kind, record.arrival.amount) == ("ZERO_AMOUNT", 0)
        assert await amounts(merchant) == []

    async def test_a_failed_transfer_is_recorded_and_not_credited(
        self, house: Installation, merchant: Merchant, somebody: Outsider
    ) -> None:
        target = await address_of(merchant)
        hash_ = await somebody.call(USDT, "transfer(address,uint256)", target, 77 * UNIT)
        receipt = await house.nodes["BSC"].receipt(hash_)
        assert receipt is not None
        assert not receipt.succeeded
        (record,) = await uncredited(house, merchant)
        assert (record.arrival.kind, record.arrival.hash) == ("FAILED_TRANSACTION", hash_)
        assert record.arrival.amount == 77 * UNIT
        assert await amounts(merchant) == []

    async def test_a_contract_that_transfers_and_then_reverts_paid_nothing(
        self, house: Installation, merchant: Merchant, somebody: Outsider, payer: str
    ) -> None:
        await somebody.call(payer, "pay_and_fail(address,address,uint256)", USDT, await address_of(merchant), UNIT)
        assert await uncredited(house, merchant) == []
        assert await amounts(merchant) == []

    async def test_seen_again_it_is_recorded_once(self, house: Installation, merchant: Merchant) -> None:
        await house.chains["BSC"].send_native(await address_of(merchant), UNIT)
        (first,) = await uncredited(house, merchant)
        async with house.parts.database.transaction() as tx:
            await tx.connection.execute("UPDATE wallet_chains SET survey_block = 1 WHERE network = 'BSC'")
        assert await uncredited(house, merchant) == [first]


class TestGreedyToken:
    async def test_what_arrived_is_credited_not_what_the_event_says(
        self, house: Installation, merchant: Merchant, somebody: Outsider
    ) -> None:
        target = await address_of(merchant, "GREEDY")
        hash_ = await somebody.call(GREEDY, "transfer(address,uint256)", target, 100 * UNIT)
        record = await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
        assert (record["amount"], record["remark"]) == ("90", "The token kept 10 of what was sent.")
        await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": record["transactionId"], **SENDER})
        await house.work()
        assert await merchant.available("GREEDY") == "90"
        assert await house.nodes["BSC"].token_balance(GREEDY, target) == 90 * UNIT


async def test_what_reading_did_not_see_is_found_once_it_is_final(
    house: Installation, merchant: Merchant, somebody: Outsider
) -> None:
    hash_ = await merchant.deposit("12")
    await house.chains["BSC"].mine(1)
    head = (await house.nodes["BSC"].head()).number
    async with house.parts.database.transaction() as tx:
        # As an endpoint does that hides a transfer: the block counts as read.
        await tx.connection.execute("UPDATE wallet_chains SET next_block = %s WHERE network = 'BSC'", (head + 1,))
    await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    assert await amounts(merchant) == [("12", "SENDER_REQUIRED")]
