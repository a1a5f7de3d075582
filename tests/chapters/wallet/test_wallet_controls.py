"""What the operator's controls do to the wallet: its fees, limits and switches, as a merchant sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from bpn.audit.model import Decision
from bpn.controls import operations as controls
from bpn.controls.model import AUTO_REVIEW_ABOVE, FeeTerms, Kind, Limit, Operation, Scope
from bpn.database.pool import Transaction
from bpn.ledger import operations as ledger
from installation import SENDER, Installation, Merchant

WITHDRAW = "/v1/wallet/withdraw"
TRANSFER = "/v1/wallet/internal-transfer"
ADDRESS = "/v1/wallet/deposit-address"
_numbers = count(1)
ANA = Decision(True, "ana", "a test")


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


@pytest.fixture
async def funded(merchant: Merchant) -> Merchant:
    await merchant.fund("1000")
    await merchant.whitelist()
    return merchant


async def change(house: Installation, work: Callable[[Transaction], Awaitable[Any]]) -> None:
    async with house.parts.database.transaction() as tx:
        await work(tx)
    # Every process hears of it by a notice; a test waits until this one has.
    async with house.parts.database.reading() as tx:
        expected = [version for kind in sorted(Kind) for version in await controls.list_in_force(tx, kind)]
        while (await house.parts.controls.view(tx)).in_force() != expected:
            await asyncio.sleep(0.01)


async def switch(house: Installation, merchant: Merchant, operation: Operation | None, *, paused: bool) -> None:
    scope = Scope(merchant.merchant_id)
    await change(house, lambda tx: controls.set_pause(tx, Decision(paused, "ana"), operation, scope=scope))


async def test_a_withdrawal_costs_what_the_operator_asks_of_this_merchant(
    house: Installation, funded: Merchant
) -> None:
    scope = Scope(funded.merchant_id, "USDT", "BSC")
    terms = FeeTerms(Decimal("0.5"), 25, maximum=Decimal(2))
    await change(house, lambda tx: controls.set_fee(tx, ANA, Operation.WITHDRAWAL, terms, scope=scope))
    asked = await funded.post(WITHDRAW, funded.withdrawal("100"))
    assert (asked["fee"], asked["receiveAmount"]) == ("0.75", "100")
    await house.until(lambda: funded.record(transactionId=asked["transactionId"], status="SUCCESS"))
    record = await funded.record(transactionId=asked["transactionId"])
    assert record is not None
    assert record["fee"] == "0.75"
    assert await funded.available() == "899.25"
    assert (await funded.post(WITHDRAW, funded.withdrawal("800")))["fee"] == "2"
    (shown,) = (await funded.get("/v1/wallet/currency-network-config", currency="USDT", network="BSC"))["list"]
    assert (shown["withdrawalFee"], shown["withdrawalFeeBps"]) == ("0.5025", "25")
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()


async def test_limits_at_once_and_in_a_day_name_what_is_used_and_when_they_end(
    house: Installation, funded: Merchant
) -> None:
    limit, scope = Limit(Decimal(300), Decimal(400)), Scope(funded.merchant_id)
    await change(house, lambda tx: controls.set_limit(tx, ANA, Operation.WITHDRAWAL, limit, scope=scope))
    before = await funded.balance()
    refused = await funded.order(WITHDRAW, funded.withdrawal("301"))
    assert (refused.status, refused.code, refused.fields) == (422, "LIMIT_EXCEEDED", ["amount"])
    assert "at most 300 USDT" in refused.body["msg"]
    assert await funded.balance() == before
    answers = await asyncio.gather(*(funded.order(WITHDRAW, funded.withdrawal("150")) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 200, 422, 422, 422]
    last = next(answer for answer in answers if answer.status == 422)
    end = (house.parts.clock.now() + timedelta(days=1)).date().isoformat()
    assert "limit of WITHDRAWAL is 400 USDT a day; 300 USDT are used" in last.body["msg"]
    assert f"anew at {end}T00:00:00+00:00" in last.body["msg"]
    assert (await funded.order(WITHDRAW, funded.withdrawal("100"))).status == 200


async def test_what_is_not_sent_in_the_end_is_not_counted(house: Installation, funded: Merchant) -> None:
    limit, scope = Limit(per_day=Decimal(500)), Scope(funded.merchant_id)

    async def set_up(tx: Transaction) -> None:
        await controls.set_limit(tx, ANA, Operation.WITHDRAWAL, limit, scope=scope)
        await controls.set_merchant_setting(
            tx, ANA, AUTO_REVIEW_ABOVE, Decimal(100), merchant_id=funded.merchant_id
        )  # fmt: skip

    await change(house, set_up)
    asked = await funded.post(WITHDRAW, funded.withdrawal("400"))
    assert asked["status"] == "REVIEWING", "above what is set for this merchant"
    assert (await funded.order(WITHDRAW, funded.withdrawal("200"))).code == "LIMIT_EXCEEDED"
    await funded.post("/v1/wallet/withdraw/cancel", {"transactionId": asked["transactionId"]})
    again = await funded.post(WITHDRAW, funded.withdrawal("450"))
    assert await funded.decide(again, Decision(False, "ana", "no")) == "REJECTED"
    small = await funded.post(WITHDRAW, funded.withdrawal("100"))
    assert small["status"] == "PROCESSING"
    assert (await funded.order(WITHDRAW, funded.withdrawal("401"))).code == "LIMIT_EXCEEDED"
    assert (await funded.order(WITHDRAW, funded.withdrawal("400"))).status == 200


class TestPauses:
    async def test_withdrawals_are_refused_and_those_accepted_wait(self, house: Installation, funded: Merchant) -> None:
        asked = await funded.post(WITHDRAW, funded.withdrawal("10"))
        await switch(house, funded, Operation.WITHDRAWAL, paused=True)
        refused = await funded.order(WITHDRAW, funded.withdrawal("10"))
        assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
        (shown,) = (await funded.get("/v1/wallet/currency-network-config", currency="USDT", network="BSC"))["list"]
        assert (shown["withdrawEnabled"], shown["depositEnabled"]) == (False, True)
        other = await house.merchant()
        await other.fund("100")
        await other.whitelist()
        theirs = await other.post(WITHDRAW, other.withdrawal("10"))
        await house.until(lambda: other.record(transactionId=theirs["transactionId"], status="SUCCESS"))
        waiting = await funded.record(transactionId=asked["transactionId"])
        assert waiting is not None
        assert waiting["status"] == "PROCESSING"
        await switch(house, funded, Operation.WITHDRAWAL, paused=False)
        await house.until(lambda: funded.record(transactionId=asked["transactionId"], status="SUCCESS"))
        assert await funded.available() == "989"

    async def test_deposits_get_no_address_and_what_arrives_waits_unreleased(
        self, house: Installation, merchant: Merchant
    ) -> None:
        hash_ = await merchant.deposit("10")
        await switch(house, merchant, Operation.DEPOSIT, paused=True)
        place = {"currency": "USDT", "network": "BSC"}
        refused = await merchant.ask(ADDRESS, **place)
        assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
        record = await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
        await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": record["transactionId"], **SENDER})
        for _ in range(3):
            await house.round()
        balance = await merchant.balance()
        assert (balance["available"], balance["unavailable"]) == ("0", "10")
        await switch(house, merchant, Operation.DEPOSIT, paused=False)
        await house.until(lambda: merchant.record(hash=hash_, status="COMPLETED"))
        assert await merchant.available() == "10"
        assert (await merchant.ask(ADDRESS, **place)).status == 200

    async def test_internal_transfers_are_refused_one_by_one_in_a_batch(
        self, house: Installation, funded: Merchant
    ) -> None:
        other = await house.merchant()
        await other.fund("100")
        await switch(house, funded, Operation.INTERNAL_TRANSFER, paused=True)

        async def transfer(merchant: Merchant) -> str | None:
            store = await merchant.sub_wallet(f"Store {next(_numbers)}")
            order = {"fromWalletId": merchant.wallet_id, "toWalletId": store, "currency": "USDT", "amount": "1"}
            return (await merchant.order(TRANSFER, order)).code

        assert await asyncio.gather(transfer(funded), transfer(other)) == ["SERVICE_PAUSED", None]
        await switch(house, funded, Operation.INTERNAL_TRANSFER, paused=False)
        assert await transfer(funded) is None

    async def test_a_paused_merchant_does_nothing_new(self, house: Installation, funded: Merchant) -> None:
        await switch(house, funded, None, paused=True)
        codes = {
            (await funded.order(WITHDRAW, funded.withdrawal("10"))).code,
            (await funded.ask(ADDRESS, currency="USDT")).code,
        }
        assert codes == {"SERVICE_PAUSED"}
        await switch(house, funded, None, paused=False)
