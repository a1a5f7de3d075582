"""Whoever is paid is looked up when listed and again before money leaves; a list that is down sends nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from bpn.kernel.errors import InvalidState
from bpn.ledger import operations as ledger
from conftest import copy_database
from installation import OUTSIDE, SENDER, Installation, Merchant, open_installation

WITHDRAW = "/v1/wallet/withdraw"
OTHER = "0x4444444444444444444444444444444444444444"


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


@pytest.fixture(scope="module")
async def screened_house(
    server: EmbeddedPostgres, lists: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    (lists / "addresses.txt").write_text(OTHER)
    options = {"sanctions_dir": lists, "blocked_names": ["Rui Bloqueado"]}
    async with open_installation(copy_database(server), tmp_path_factory.mktemp("screened"), **options) as house:
        yield house


@pytest.fixture
async def merchant(screened_house: Installation, lists: Path) -> Merchant:
    (lists / "addresses.txt").write_text(OTHER)
    merchant = await screened_house.merchant()
    await merchant.fund("100")
    return merchant


async def status_of(merchant: Merchant, asked: dict[str, str]) -> str:
    record = await merchant.record(transactionId=asked["transactionId"])
    assert record is not None
    return str(record["status"])


async def test_a_listed_address_is_taken_off_the_whitelist(screened_house: Installation, merchant: Merchant) -> None:
    await merchant.whitelist(OTHER)
    await merchant.whitelist(OUTSIDE)

    async def rejected() -> bool:
        found = (await merchant.get("/v1/wallet/withdraw-whitelist/list"))["list"]
        return {one["address"].lower(): one["status"] for one in found} == {
            OTHER: "REJECTED",
            OUTSIDE.lower(): "APPROVED",
        }

    await screened_house.until(rejected)
    refused = await merchant.order(WITHDRAW, merchant.withdrawal("10", address=OTHER))
    assert refused.code == "ADDRESS_NOT_WHITELISTED"


async def test_one_that_is_listed_meanwhile_is_not_paid(
    screened_house: Installation, merchant: Merchant, lists: Path
) -> None:
    await merchant.whitelist()
    await screened_house.round()
    asked = await merchant.post(WITHDRAW, merchant.withdrawal("10"))
    (lists / "addresses.txt").write_text(OUTSIDE)
    await screened_house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="REJECTED"))
    record = await merchant.record(transactionId=asked["transactionId"])
    assert record is not None
    assert (record["failReason"], record["hash"]) == ("The address is listed: addresses.txt.", None)
    assert await merchant.available() == "100"
    assert (await merchant.order(WITHDRAW, merchant.withdrawal("10"))).code == "ADDRESS_NOT_WHITELISTED"


async def test_while_the_lists_are_down_nothing_is_sent_and_nothing_is_released(
    screened_house: Installation, merchant: Merchant, lists: Path
) -> None:
    await merchant.whitelist()
    hash_ = await merchant.deposit("5")
    waiting = await screened_house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    (lists / "addresses.txt").unlink()
    await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": waiting["transactionId"], **SENDER})
    asked = await merchant.post(WITHDRAW, merchant.withdrawal("10"))
    for _ in range(3):
        await screened_house.round()
    assert await status_of(merchant, asked) == "PROCESSING"
    assert await status_of(merchant, waiting) == "SCREENING"
    (lists / "addresses.txt").write_text(OTHER)
    await screened_house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
    await screened_house.until(lambda: merchant.record(hash=hash_, status="COMPLETED"))


async def test_frozen_funds_that_are_refused_go_back_once(screened_house: Installation, merchant: Merchant) -> None:
    parts = screened_house.parts
    hash_ = await merchant.deposit("20")
    waiting = await screened_house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    details = {**SENDER, "orgFirstName": "Rui", "orgLastName": "Bloqueado"}
    await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": waiting["transactionId"], **details})
    await screened_house.until(lambda: merchant.record(hash=hash_, status="FROZEN"))
    deposit_id, decision = int(waiting["transactionId"]), Decision(False, "ana", "listed")
    back = Decision(True, "bea", "to the sender")
    async with parts.database.transaction() as tx:
        with pytest.raises(InvalidState):
            await wallet.return_deposit(
                parts.wallet_terms, tx, merchant.merchant_id, deposit_id, OUTSIDE, back
            )  # fmt: skip
        await wallet.decide_deposit(tx, merchant.merchant_id, deposit_id, decision)
    async with parts.database.transaction() as tx:
        refund = await wallet.return_deposit(parts.wallet_terms, tx, merchant.merchant_id, deposit_id, OUTSIDE, back)
        with pytest.raises(InvalidState):
            await wallet.return_deposit(
                parts.wallet_terms, tx, merchant.merchant_id, deposit_id, OUTSIDE, back
            )  # fmt: skip
    await screened_house.until(lambda: merchant.record(transactionId=waiting["transactionId"], status="RETURNED"))
    assert str(refund.amount) == "19"
    async with parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
        (entry, *_) = await audit.list_entries(tx)
    assert (entry.action, entry.actor, entry.reason) == ("deposit.return", "bea", "to the sender")
