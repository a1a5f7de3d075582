"""Deposits in suspense go back on chain exactly once, less the fee; a refusal leaves them where they were."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import RefundUneconomic
from bpn.kernel.errors import InvalidRequest, InvalidState, Refusal
from bpn.ledger import operations as ledger
from conftest import copy_database
from installation import OUTSIDE, Installation, Merchant, open_installation


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def in_suspense(house: Installation, merchant: Merchant, amount: str = "10") -> dict[str, Any]:
    """A deposit whose sender nobody named in time."""
    hash_ = await merchant.deposit(amount)
    await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    await merchant.post("/v1/mock/clock/advance", {"seconds": 8 * 24 * 3600})
    return await house.until(lambda: merchant.record(hash=hash_, status="REJECTED"))


async def ask(house: Installation, merchant: Merchant, deposit: dict[str, Any], address: str = OUTSIDE) -> str:
    async with house.parts.database.transaction() as tx:
        refund = await wallet.request_refund(
            house.parts.wallet_terms, tx, merchant.merchant_id, int(deposit["transactionId"]), address
        )
    return str(refund.transaction_id)


async def held_by(house: Installation, address: str) -> int:
    token = house.parts.wallet_terms.networks["BSC"].tokens["USDT"]
    return await house.nodes["BSC"].token_balance(token.contract, address)


async def test_it_leaves_once_less_the_fee(house: Installation, merchant: Merchant) -> None:
    deposit = await in_suspense(house, merchant)
    before = await held_by(house, OUTSIDE)

    async def try_it() -> str | Refusal:
        try:
            return await ask(house, merchant, deposit)
        except Refusal as refusal:
            return refusal

    outcomes = await asyncio.gather(*(try_it() for _ in range(10)))
    (refund,) = [one for one in outcomes if isinstance(one, str)]
    assert all(isinstance(one, str | InvalidState) for one in outcomes)
    row = await house.until(lambda: merchant.record(transactionId=refund, status="SUCCESS"))
    assert (row["transactionType"], row["amount"], row["fee"]) == ("REFUND", "9", "1")
    assert await held_by(house, OUTSIDE) - before == 9 * 10**18
    returned = await merchant.record(transactionId=deposit["transactionId"])
    assert returned is not None
    assert returned["status"] == "RETURNED"
    balance = await merchant.balance()
    assert (balance["available"], balance["unavailable"]) == ("0", "0")
    with pytest.raises(InvalidState):
        await ask(house, merchant, deposit)


async def test_what_the_fee_would_take_stays(house: Installation, merchant: Merchant) -> None:
    deposit = await in_suspense(house, merchant, "1")
    with pytest.raises(RefundUneconomic):
        await ask(house, merchant, deposit)
    with pytest.raises(InvalidRequest):
        await ask(house, merchant, deposit, "0x123")
    kept = await merchant.record(transactionId=deposit["transactionId"])
    assert kept is not None
    assert kept["status"] == "REJECTED"


async def test_one_that_vanishes_after_its_return_is_owed(server: EmbeddedPostgres, tmp_path: Path) -> None:
    # In an installation of its own: so deep a reorg also removes what others have sent.
    async with open_installation(copy_database(server), tmp_path) as house:
        merchant = await house.merchant()
        await house.chains["BSC"].mine(2)
        deposit = await in_suspense(house, merchant)
        refund = await ask(house, merchant, deposit)
        await house.until(lambda: merchant.record(transactionId=refund, status="SUCCESS"))
        async with house.parts.database.reading() as tx:
            cursor = await tx.connection.execute(
                "SELECT block_number FROM wallet_transactions WHERE transaction_id = %s",
                (int(deposit["transactionId"]),),
            )
            ((block,),) = await cursor.fetchall()
        head = await house.nodes["BSC"].head()
        await house.chains["BSC"].reorganise(head.number - block + 1, keep=False)
        await house.round()
        gone = await merchant.record(transactionId=deposit["transactionId"])
        assert gone is not None
        assert gone["status"] == "ORPHANED"
        await merchant.whitelist()
        refused = await merchant.order("/v1/wallet/withdraw", merchant.withdrawal("5"))
        assert refused.code == "SERVICE_PAUSED"
        async with house.parts.database.transaction(snapshot=True) as tx:
            assert (await ledger.verify(tx)).findings == ()


async def test_a_listed_address_gets_nothing(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with open_installation(copy_database(server), tmp_path, blocked_addresses=[OUTSIDE]) as house:
        merchant = await house.merchant()
        deposit = await in_suspense(house, merchant)
        refund = await ask(house, merchant, deposit)
        await house.until(lambda: merchant.record(transactionId=refund, status="REJECTED"))
        kept = await merchant.record(transactionId=deposit["transactionId"])
        assert kept is not None
        assert kept["status"] == "REJECTED"
