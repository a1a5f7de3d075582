"""Orders that wait for a pay-in or a deposit: in time, late, short, over, wrong; never lost, never at a stale price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import fiat
from bpn.audit.model import Decision
from bpn.chapters.fx import operations as fx
from bpn.cli.sandbox import SENDER
from bpn.ledger import operations as ledger
from installation import Installation, Merchant, receiving

CREATE = "/v1/stable/create-order"
DETAIL = "/v1/stable/order-detail"
CANCEL = "/v1/stable/cancel-order"
YES = Decision(approved=True, actor="ana", reason="test")


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def order(merchant: Merchant, made: dict[str, Any]) -> dict[str, Any]:
    return await merchant.get(DETAIL, orderId=made["orderId"])


async def ended(merchant: Merchant, made: dict[str, Any], status: str) -> dict[str, Any]:
    async def find() -> dict[str, Any] | None:
        found = await order(merchant, made)
        return found if found["status"] == status else None

    return await merchant.installation.until(find)


async def opened(merchant: Merchant, made: dict[str, Any]) -> dict[str, Any]:
    """An order whose account the bank has opened; its instructions."""

    async def find() -> dict[str, Any] | None:
        instructions = (await order(merchant, made))["instructions"]
        return instructions if instructions["status"] == "SUCCESS" else None

    return await merchant.installation.until(find)


async def buy(merchant: Merchant, amount: str = "100", currency: str = "EUR") -> tuple[dict[str, Any], str]:
    """An order that waits for a bank transfer, and the account to pay to."""
    body = {"fiatAmt": amount, "fiatCurrency": currency, "fundingSource": "PAYIN"}
    made = await merchant.post(CREATE, body)
    assert (made["status"], made["settledAmount"]) == ("AWAITING_FUNDS", None)
    return made, (await opened(merchant, made))["accountId"]


async def sell(merchant: Merchant, amount: str = "100") -> dict[str, Any]:
    """An order that waits for tokens at an address of its own."""
    body = {
        "side": "SELL", "cryptoCurrency": "USDT", "cryptoAmt": amount, "fiatCurrency": "EUR",
        "fundingSource": "DEPOSIT",
    }  # fmt: skip
    made = await merchant.post(CREATE, body)
    assert made["instructions"]["address"].startswith("0x")
    return made


async def send(merchant: Merchant, address: str, amount: int, currency: str = "USDT", network: str = "BSC") -> None:
    """Tokens to an address, all the way to where their sender is known."""
    house = merchant.installation
    token = house.parts.wallet_terms.networks[network].tokens[currency]
    hash_ = await house.chains[network].send_token(token.contract, address, amount * 10**token.asset.scale)
    waiting = await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": waiting["transactionId"], **SENDER})


class TestPayIn:
    async def test_brl_by_qr_becomes_usdc(self, house: Installation) -> None:
        async with receiving() as receiver:
            merchant = await house.merchant(receiver.url)
            receiver.secret = merchant.api_secret
            made, account = await buy(merchant, "1000", "BRL")
            assert (await order(merchant, made))["instructions"]["pixCode"]
            await fiat.pay(merchant, account, "1000")
            done = await ended(merchant, made, "SUCCESS")
            assert (done["settledAmount"], done["abnormal"]) == (made["cryptoAmt"], [])
            assert await merchant.available("USDC") == made["cryptoAmt"]
            assert (await fiat.balance(merchant))[0] == "0"

            async def told_of() -> list[dict[str, Any]]:
                return receiver.of("STABLECOIN_PAYMENT_RESULT")

            (result,) = await house.until(told_of)
            assert (result["referenceId"], result["status"]) == (made["orderId"], "SUCCESS")
            told = [e["status"] for e in receiver.of("TRANSACTION_STATUS") if e["referenceId"] == made["orderId"]]
            assert told[0] == "AWAITING_FUNDS"
            assert told[-1] == "SUCCESS"

    async def test_over_is_kept_in_the_master_account(self, merchant: Merchant) -> None:
        made, account = await buy(merchant)
        await fiat.pay(merchant, account, "130")
        done = await ended(merchant, made, "SUCCESS")
        (odd,) = done["abnormal"]
        assert (odd["reason"], odd["amount"], odd["action"]) == ("OVER", "30", "KEPT")
        assert (await fiat.balance(merchant, "EUR"))[0] == "30"
        assert await merchant.available("USDC") == made["cryptoAmt"]

    async def test_in_two_parts(self, merchant: Merchant) -> None:
        made, account = await buy(merchant)
        await fiat.pay(merchant, account, "60")
        await merchant.installation.round()
        assert (await order(merchant, made))["status"] == "AWAITING_FUNDS"
        await fiat.pay(merchant, account, "40")
        await ended(merchant, made, "SUCCESS")
        assert (await fiat.balance(merchant, "EUR"))[0] == "0"

    async def test_short_until_the_end_is_given_to_the_master_account(self, merchant: Merchant) -> None:
        made, account = await buy(merchant)
        await fiat.receive(merchant, account, "60")
        await merchant.post("/v1/mock/clock/advance", {"seconds": 901})
        done = await ended(merchant, made, "EXPIRED")
        (odd,) = done["abnormal"]
        assert (odd["reason"], odd["amount"]) == ("SHORT", "60")
        assert (await fiat.balance(merchant, "EUR"))[0] == "60"
        assert await merchant.available("USDC") == "0"

    async def test_late_is_not_converted(self, merchant: Merchant) -> None:
        made, account = await buy(merchant)
        await merchant.post("/v1/mock/clock/advance", {"seconds": 901})
        await ended(merchant, made, "EXPIRED")
        await fiat.receive(merchant, account, "100")

        async def noted() -> list[dict[str, Any]]:
            return (await order(merchant, made))["abnormal"]

        (odd,) = await merchant.installation.until(noted)
        assert (odd["reason"], odd["action"]) == ("LATE", "KEPT")
        assert (await fiat.balance(merchant, "EUR"))[0] == "100"
        assert (await order(merchant, made))["status"] == "EXPIRED"

    async def test_a_rate_that_has_left_the_quote_fails_it_and_keeps_the_money(
        self, house: Installation, merchant: Merchant
    ) -> None:
        made, account = await buy(merchant, "100", "GBP")
        async with house.parts.database.transaction() as tx:
            await fx.set_rate(house.parts.fx_terms, tx, "GBP", "USD", Decimal("1.18"), YES)
        try:
            await fiat.pay(merchant, account, "100")
            done = await ended(merchant, made, "FAILED")
        finally:
            async with house.parts.database.transaction() as tx:
                await fx.unset_rate(tx, "GBP", "USD", YES)
        assert "QUOTE_PRICE_MOVED" in done["failReason"]
        assert [odd["reason"] for odd in done["abnormal"]] == ["NOT_CONVERTED"]
        assert (await fiat.balance(merchant, "GBP"))[0] == "100"


class TestDeposit:
    async def test_tokens_on_chain_become_eur(self, merchant: Merchant) -> None:
        made = await sell(merchant)
        await send(merchant, made["instructions"]["address"], 100)
        done = await ended(merchant, made, "SUCCESS")
        assert (await fiat.balance(merchant, "EUR"))[0] == done["settledAmount"] == made["fiatAmt"]
        assert await merchant.available("USDT") == "0"

    async def test_over_and_the_wrong_token_stay_in_the_wallet(self, merchant: Merchant) -> None:
        made = await sell(merchant)
        address = made["instructions"]["address"]
        await send(merchant, address, 7, "USDC")
        await send(merchant, address, 120)
        done = await ended(merchant, made, "SUCCESS")
        assert sorted(odd["reason"] for odd in done["abnormal"]) == ["OVER", "WRONG_ASSET"]
        assert (await merchant.available("USDT"), await merchant.available("USDC")) == ("20", "7")


class TestEnding:
    async def test_cancelling_gives_back_what_came_and_happens_once(self, merchant: Merchant) -> None:
        made, account = await buy(merchant)
        await fiat.receive(merchant, account, "60")
        await merchant.installation.work()
        done = await merchant.post(CANCEL, {"orderId": made["orderId"]})
        assert (done["status"], [odd["reason"] for odd in done["abnormal"]]) == ("FAILED", ["SHORT"])
        assert (await fiat.balance(merchant, "EUR"))[0] == "60"
        assert (await merchant.order(CANCEL, {"orderId": made["orderId"]})).code == "INVALID_STATE"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"fiatAmt": "10", "fiatCurrency": "EUR", "fundingSource": "DEPOSIT"}, "fundingSource"),
            ({"side": "SELL", "cryptoAmt": "10", "fiatCurrency": "EUR", "fundingSource": "PAYIN"}, "fundingSource"),
            ({"fiatAmt": "10", "fiatCurrency": "EUR", "payoutBankAccountId": "5"}, "payoutBankAccountId"),
            ({"fiatAmt": "10", "fiatCurrency": "EUR", "toWalletId": 5}, "walletId"),
            ({}, "quoteId"),
            ({"quoteId": "abc"}, "quoteId"),
            ({"fiatAmt": "10", "fiatCurrency": "EUR", "fundingSource": "CASH"}, "fundingSource"),
        ],
    )
    async def test_refuses_what_does_not_fit(self, merchant: Merchant, body: dict[str, object], field: str) -> None:
        answer = await merchant.order(CREATE, body)
        assert answer.status in {400, 404}
        assert answer.fields == [field]

    async def test_killed_between_any_two_commits_the_order_still_ends_once(self, merchant: Merchant) -> None:
        """Each job runs alone and twice, as after a crash that lost every nudge; facts are heard from their rows."""
        made, account = await buy(merchant)
        await fiat.pay(merchant, account, "100")
        house = merchant.installation
        for _ in range(6):
            for job in house.jobs:
                await job.run()
                await job.run()
        done = await ended(merchant, made, "SUCCESS")
        assert await merchant.available("USDC") == done["settledAmount"]


async def test_the_books_are_sound_after_all_of_this(house: Installation) -> None:
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
