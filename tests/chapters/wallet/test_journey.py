"""The main job through signed HTTP: money in, money around, money out, each step told."""

from __future__ import annotations

from bpn.kernel.money import Money
from installation import OUTSIDE, Installation, receiving


async def test_a_deposit_becomes_a_balance_and_leaves_as_a_withdrawal(house: Installation) -> None:
    async with receiving() as receiver:
        merchant = await house.merchant(receiver.url)
        receiver.secret = merchant.api_secret
        deposit = await merchant.receive("250")
        assert deposit["amount"] == "250"
        assert await merchant.available() == "250"
        entry = await merchant.whitelist()
        assert entry["status"] == "APPROVED"
        asked = await merchant.post("/v1/wallet/withdraw", merchant.withdrawal("120"))
        assert (asked["amount"], asked["fee"], asked["receiveAmount"]) == ("120", "1", "120")
        done = await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
        assert await merchant.available() == "129"
        receipt = await house.nodes["BSC"].receipt(done["hash"])
        assert receipt is not None
        assert receipt.succeeded
        token = house.parts.wallet_terms.networks["BSC"].tokens["USDT"]
        arrived = await house.nodes["BSC"].token_balance(token.contract, OUTSIDE)
        assert arrived >= Money.parse("120", token.asset).minor
        await house.round()
        told = [event["status"] for event in receiver.of("TRANSACTION_STATUS")]
        for status in ("CONFIRMING", "SENDER_REQUIRED", "SCREENING", "COMPLETED", "PROCESSING", "BROADCAST", "SUCCESS"):
            assert status in told
        assert receiver.of("DEPOSIT_SENDER_REQUIRED")
        assert receiver.of("WALLET_ADDRESS_WHITELIST", "APPROVED")
        assert receiver.forged == 0
