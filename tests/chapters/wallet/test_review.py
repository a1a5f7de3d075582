"""The operator's decisions: two people where it matters, frozen deposits, what came too late; all of it audited."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import SecondPersonRequired
from bpn.ledger import operations as ledger
from conftest import copy_database
from installation import OUTSIDE, SENDER, Installation, Merchant, open_installation

WITHDRAW = "/v1/wallet/withdraw"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def test_above_a_setting_two_people_must_approve(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with open_installation(copy_database(server), tmp_path, second_person_above=2000) as house:
        merchant = await house.merchant()
        await merchant.fund("10000")
        await merchant.whitelist()
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("5000"))

        async def approve(actor: str) -> str:
            return await merchant.decide(asked, Decision(True, actor, "known customer"))

        assert await approve("maker") == "REVIEWING"
        with pytest.raises(SecondPersonRequired):
            await approve("maker")
        assert await approve("checker") == "PROCESSING"
        await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
        async with house.parts.database.reading() as tx:
            entries = await audit.list_entries(tx)
        told = [
            (entry.actor, entry.action, entry.before, entry.after, entry.reason)
            for entry in entries
            if entry.actor != "sandbox"
        ]
        assert told == [
            ("checker", "withdrawal.approve", "REVIEWING", "PROCESSING", "known customer"),
            ("maker", "withdrawal.approve", "REVIEWING", "REVIEWING", "known customer"),
        ]
        with pytest.raises(psycopg.Error):
            async with house.parts.database.transaction() as tx:
                await tx.connection.execute("DELETE FROM audit_entries")


@pytest.mark.parametrize(("approved", "status", "available"), [(True, "COMPLETED", "10"), (False, "REJECTED", "0")])
async def test_a_deposit_that_screening_hits_waits_for_the_operator(
    server: EmbeddedPostgres, tmp_path: Path, approved: bool, status: str, available: str
) -> None:
    async with open_installation(copy_database(server), tmp_path, blocked_names=["Ana Sousa"]) as house:
        merchant = await house.merchant()
        hash_ = await merchant.deposit("10")
        record = await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
        await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": record["transactionId"], **SENDER})
        await house.until(lambda: merchant.record(hash=hash_, status="FROZEN"))
        assert (await merchant.balance())["unavailable"] == "10"
        async with house.parts.database.transaction() as tx:
            (frozen,) = await wallet.list_frozen(house.parts.wallet_terms, tx)
            decided = await wallet.decide_deposit(
                tx, merchant.merchant_id, frozen.transaction_id, Decision(approved, "ana")
            )
        assert decided.status == status
        balance = await merchant.balance()
        assert (balance["available"], balance["unavailable"]) == (available, "0")


async def test_a_deposit_whose_sender_is_not_named_in_time_is_held_in_suspense(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with open_installation(copy_database(server), tmp_path, sender_deadline_seconds=60) as house:
        merchant = await house.merchant()
        hash_ = await merchant.deposit("10")
        record = await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
        await merchant.post("/v1/mock/clock/advance", {"seconds": 61})
        await house.until(lambda: merchant.record(hash=hash_, status="REJECTED"))
        answer = await merchant.order(
            "/v1/wallet/add-deposit-sender", {"transactionId": record["transactionId"], **SENDER}
        )
        assert (answer.status, answer.code) == (409, "INVALID_STATE")
        assert (await merchant.balance())["unavailable"] == "0"


class TestReorgAfterCompletion:
    async def test_what_is_available_is_taken_back(self, house: Installation, merchant: Merchant) -> None:
        await house.chains["BSC"].mine(3)
        record = await merchant.receive("10")
        await house.chains["BSC"].reorganise(5, keep=False)
        await house.round()
        gone = await merchant.record(transactionId=record["transactionId"])
        assert gone is not None
        assert gone["status"] == "ORPHANED"
        assert await merchant.available() == "0"

    async def test_what_is_spent_is_owed_stops_withdrawals_and_is_repaid_by_the_next_deposit(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await merchant.whitelist()
        await house.chains["BSC"].mine(3)
        record = await merchant.receive("100")
        store = await merchant.sub_wallet()
        order = {"fromWalletId": merchant.wallet_id, "toWalletId": store, "currency": "USDT", "amount": "70"}
        await merchant.post("/v1/wallet/internal-transfer", order)
        await house.chains["BSC"].reorganise(5, keep=False)
        await house.round()
        assert (await merchant.available(), await merchant.available(wallet_id=store)) == ("0", "70")
        refused = await merchant.order(WITHDRAW, merchant.withdrawal("10", walletId=store))
        assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
        gone = await merchant.record(transactionId=record["transactionId"])
        assert gone is not None
        assert gone["status"] == "ORPHANED"
        await merchant.receive("90")
        assert await merchant.available() == "20"
        accepted = await merchant.order(WITHDRAW, merchant.withdrawal("10", walletId=store))
        assert accepted.status == 200
        async with house.parts.database.transaction(snapshot=True) as tx:
            assert (await ledger.verify(tx)).findings == ()

    async def test_one_that_is_mined_again_counts_once_without_asking_twice(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await house.chains["BSC"].mine(3)
        record = await merchant.receive("10")
        await house.chains["BSC"].reorganise(5, keep=True)
        await house.round()
        await house.until(lambda: merchant.record(transactionId=record["transactionId"], status="COMPLETED"))
        assert await merchant.available() == "10"
        assert (await merchant.get("/v1/wallet/history"))["total"] == 1


async def test_nobody_waits_by_default(house: Installation, merchant: Merchant) -> None:
    await merchant.fund("3000")
    await merchant.whitelist()
    asked = await merchant.post(WITHDRAW, merchant.withdrawal("2000", address=OUTSIDE))
    async with house.parts.database.transaction() as tx:
        waiting = await wallet.list_reviewing(house.parts.wallet_terms, tx)
    assert int(asked["transactionId"]) in {one.transaction_id for one in waiting}
