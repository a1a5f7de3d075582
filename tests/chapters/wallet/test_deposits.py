"""Deposits by log: states, travel rule, screening, reorgs; each log is credited once."""

from __future__ import annotations

import pytest

from bpn.kernel.money import Money
from installation import SENDER, Installation, Merchant

DEPOSIT_SENDER = "/v1/wallet/add-deposit-sender"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def waiting(house: Installation, merchant: Merchant, amount: str = "10") -> dict[str, object]:
    hash_ = await merchant.deposit(amount)
    return await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))


class TestStates:
    async def test_seen_is_pending_confirmed_is_unavailable_released_is_available(
        self, house: Installation, merchant: Merchant
    ) -> None:
        hash_ = await merchant.deposit("10")
        await house.round()
        seen = await merchant.record(hash=hash_)
        assert seen is not None
        assert (seen["status"], seen["confirmations"], seen["requiredConfirmations"]) == ("CONFIRMING", 1, 3)
        balance = await merchant.balance()
        assert (balance["pending"], balance["unavailable"], balance["available"]) == ("10", "0", "0")
        await house.round()
        await house.round()
        balance = await merchant.balance()
        assert (balance["pending"], balance["unavailable"], balance["available"]) == ("0", "10", "0")
        confirmed = await merchant.record(hash=hash_)
        assert confirmed is not None
        await merchant.post(DEPOSIT_SENDER, {"transactionId": confirmed["transactionId"], **SENDER})
        await house.work()
        balance = await merchant.balance()
        assert (balance["pending"], balance["unavailable"], balance["available"]) == ("0", "0", "10")

    async def test_below_the_minimum_is_recorded_and_not_credited(
        self, house: Installation, merchant: Merchant
    ) -> None:
        hash_ = await merchant.deposit("0.5")
        record = await house.until(lambda: merchant.record(hash=hash_, status="REJECTED"))
        assert "minimum" in record["failReason"]
        balance = await merchant.balance()
        assert (balance["unavailable"], balance["available"]) == ("0", "0")

    async def test_reading_the_same_blocks_again_changes_nothing(self, house: Installation, merchant: Merchant) -> None:
        await merchant.receive("10")
        async with house.parts.database.transaction() as tx:
            await tx.connection.execute("UPDATE wallet_chains SET next_block = 1 WHERE network = 'BSC'")
            await tx.connection.execute("DELETE FROM wallet_chain_blocks WHERE network = 'BSC'")
        await house.round()
        await house.round()
        assert await merchant.available() == "10"
        assert (await merchant.get("/v1/wallet/history"))["total"] == 1

    async def test_a_fake_token_with_the_same_symbol_is_nothing(self, house: Installation, merchant: Merchant) -> None:
        address = await merchant.get("/v1/wallet/deposit-address", currency="USDT")
        native = house.parts.wallet_terms.networks["BSC"].native
        await house.chains["BSC"].send_native(address["address"], Money.parse("1", native).minor)
        for _ in range(4):
            await house.round()
        assert (await merchant.get("/v1/wallet/history"))["total"] == 0


class TestReorg:
    async def test_a_deposit_that_vanishes_is_orphaned_and_its_booking_taken_back(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await house.chains["BSC"].mine(3)
        record = await waiting(house, merchant)
        assert (await merchant.balance())["unavailable"] == "10"
        await house.chains["BSC"].reorganise(4, keep=False)
        await house.round()
        gone = await merchant.record(transactionId=record["transactionId"])
        assert gone is not None
        assert gone["status"] == "ORPHANED"
        balance = await merchant.balance()
        assert (balance["pending"], balance["unavailable"], balance["available"]) == ("0", "0", "0")

    async def test_a_deposit_that_is_mined_again_counts_once(self, house: Installation, merchant: Merchant) -> None:
        await house.chains["BSC"].mine(3)
        record = await waiting(house, merchant)
        await house.chains["BSC"].reorganise(4, keep=True)
        again = await house.until(
            lambda: merchant.record(transactionId=record["transactionId"], status="SENDER_REQUIRED")
        )
        assert again["hash"] == record["hash"]
        await merchant.post(DEPOSIT_SENDER, {"transactionId": record["transactionId"], **SENDER})
        await house.until(lambda: merchant.record(transactionId=record["transactionId"], status="COMPLETED"))
        assert await merchant.available() == "10"
        assert (await merchant.get("/v1/wallet/history"))["total"] == 1


class TestAddDepositSender:
    async def test_the_public_sample_body_is_accepted_whole(self, house: Installation, merchant: Merchant) -> None:
        record = await waiting(house, merchant)
        body = {
            "hash": record["hash"], "transactionId": record["transactionId"], "depositOriginator": 1, "orgType": 0,
            "bnfType": 0, "orgName": "Ana Sousa", "orgFirstName": "Ana", "orgLastName": "Sousa", "country": "mx",
            "state": "CDMX", "region": "Centro", "city": "Ciudad de México", "pinCode": "06000", "address": "Calle 1",
            "corpName": None, "corpCountry": None, "receiveFrom": 1, "vasp": "others", "vaspName": "Bitso",
            "declaration": True,
        }  # fmt: skip
        assert (await merchant.post(DEPOSIT_SENDER, body))["status"] == "SCREENING"

    async def test_a_hash_alone_names_a_single_deposit(self, house: Installation, merchant: Merchant) -> None:
        record = await waiting(house, merchant)
        answer = await merchant.post(DEPOSIT_SENDER, {"hash": record["hash"], **SENDER})
        assert answer["transactionId"] == record["transactionId"]

    async def test_twice_the_same_is_the_same_and_other_content_after_release_is_refused(
        self, house: Installation, merchant: Merchant
    ) -> None:
        record = await waiting(house, merchant)
        body = {"transactionId": record["transactionId"], **SENDER}
        await merchant.post(DEPOSIT_SENDER, body)
        await house.until(lambda: merchant.record(transactionId=record["transactionId"], status="COMPLETED"))
        assert (await merchant.post(DEPOSIT_SENDER, body))["status"] == "COMPLETED"
        answer = await merchant.order(DEPOSIT_SENDER, {**body, "orgLastName": "Silva"})
        assert (answer.status, answer.code) == (409, "INVALID_STATE")
        assert await merchant.available() == "10"

    async def test_before_it_is_confirmed_it_is_refused(self, house: Installation, merchant: Merchant) -> None:
        hash_ = await merchant.deposit("10")
        await house.round()
        answer = await merchant.order(DEPOSIT_SENDER, {"hash": hash_, **SENDER})
        assert (answer.status, answer.code) == (409, "INVALID_STATE")

    @pytest.mark.parametrize(
        ("change", "fields"),
        [
            ({"orgFirstName": None}, ["orgFirstName"]),
            ({"orgType": 1}, ["corpName", "corpCountry"]),
            ({"vaspName": None}, ["vaspName"]),
            ({"vasp": None}, ["vasp"]),
            ({"declaration": False}, ["declaration"]),
            ({"country": "xx"}, ["country"]),
            ({"receiveFrom": 3}, ["receiveFrom"]),
            ({"depositOriginator": "1"}, ["depositOriginator"]),
        ],
    )
    async def test_a_missing_or_bad_field_is_named(
        self, merchant: Merchant, change: dict[str, object], fields: list[str]
    ) -> None:
        answer = await merchant.order(DEPOSIT_SENDER, {"transactionId": "1", **SENDER, **change})
        assert (answer.status, answer.fields) == (400, fields)

    async def test_nobody_elses_deposit(self, house: Installation, merchant: Merchant) -> None:
        record = await waiting(house, merchant)
        other = await house.merchant()
        answer = await other.order(DEPOSIT_SENDER, {"transactionId": record["transactionId"], **SENDER})
        assert (answer.status, answer.code) == (404, "TRANSACTION_NOT_FOUND")
