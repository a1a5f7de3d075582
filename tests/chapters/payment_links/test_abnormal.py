"""Abnormal funds: matched, linked once, credited or returned by the operator, exactly once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bpn.audit.model import Decision
from bpn.chapters.payment_links import operations
from bpn.kernel.errors import InvalidState
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from installation import OUTSIDE, Installation, Merchant
from payment_links import detail, funds, made_and_chosen, make, pay, settled

SUBMIT = "/v1/payment-link/abnormal-fund/submit"
LINK = "/v1/payment-link/abnormal-fund/link-order"
MATCH = "/v1/payment-link/abnormal-fund/matchable-links"
DECISION = Decision(True, "ana", "the payer wrote")


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def duplicate(house: Installation, merchant: Merchant, amount: str = "40") -> dict[str, Any]:
    """A fund of something that came after its link was paid."""
    link = await made_and_chosen(house, merchant)
    await pay(house, link, "100")
    await settled(house)
    await pay(house, link, amount)
    await settled(house)
    (fund,) = await funds(merchant, relatedPaymentId=link["paymentId"])
    return fund


async def approve(house: Installation, merchant: Merchant, fund: dict[str, Any]) -> str:
    async with house.parts.database.transaction() as tx:
        decided = await operations.refund_abnormal_fund(
            house.parts.link_terms, tx, merchant.merchant_id, int(fund["abnormalFundId"]), DECISION
        )
    return decided.status


class TestLinking:
    async def test_the_best_match_comes_first_with_its_reasons_and_is_paid_once(
        self, house: Installation, merchant: Merchant
    ) -> None:
        fund = await duplicate(house, merchant)
        exact = await make(merchant, fiatAmount="40")
        near = await make(merchant, fiatAmount="41")
        far = await make(merchant, fiatAmount="40", supportNetwork="ETH")
        found = (await merchant.get(MATCH, abnormalFundId=fund["abnormalFundId"]))["list"]
        assert [match["paymentId"] for match in found] == [exact["paymentId"], near["paymentId"]]
        assert far["paymentId"] not in {match["paymentId"] for match in found}
        assert found[0]["reasons"][0] == "EXACT_AMOUNT"
        assert (found[0]["dueAmount"], found[0]["dueCurrency"]) == ("40", "USDT")
        order = {"abnormalFundId": fund["abnormalFundId"], "paymentId": exact["paymentId"]}
        answers = await asyncio.gather(*(merchant.order(LINK, {**order, "n": n}) for n in range(8)))
        assert sorted(answer.status for answer in answers) == [200] + [409] * 7
        assert (await detail(merchant, exact))["status"] == "completed"
        assert await merchant.available() == "140"

    async def test_what_does_not_suffice_waits_for_more(self, house: Installation, merchant: Merchant) -> None:
        first, second = await duplicate(house, merchant, "40"), await duplicate(house, merchant, "70")
        target = await make(merchant)
        for fund in (first, second):
            before = await detail(merchant, target)
            assert before["status"] == "init"
            order = {"abnormalFundId": fund["abnormalFundId"], "paymentId": target["paymentId"]}
            assert (await merchant.post(LINK, order))["status"] == "LINKED"
        paid = await detail(merchant, target)
        assert (paid["status"], paid["labels"]) == ("completed", ["OVER"])
        assert await merchant.available() == "300"
        (rest,) = await funds(merchant, status="PENDING")
        assert (rest["amount"], rest["labels"]) == ("10", ["OVER"])

    async def test_nobody_elses(self, house: Installation, merchant: Merchant) -> None:
        fund = await duplicate(house, merchant)
        other = await house.merchant()
        link = await make(other, fiatAmount="40")
        order = {"abnormalFundId": fund["abnormalFundId"], "paymentId": link["paymentId"]}
        assert (await other.order(LINK, order)).code == "ABNORMAL_FUND_NOT_FOUND"
        assert (await merchant.order(LINK, order)).code == "PAYMENT_LINK_NOT_FOUND"
        answer = await other.ask(MATCH, abnormalFundId=fund["abnormalFundId"])
        assert (answer.status, answer.code) == (404, "ABNORMAL_FUND_NOT_FOUND")


class TestSubmitting:
    async def test_a_refund_leaves_once_less_the_fee(self, house: Installation, merchant: Merchant) -> None:
        fund = await duplicate(house, merchant)
        token = house.parts.wallet_terms.networks["BSC"].tokens["USDT"]
        before = await house.nodes["BSC"].token_balance(token.contract, OUTSIDE)
        body = {
            "abnormalFundId": fund["abnormalFundId"],
            "action": "REFUND",
            "refundAddress": OUTSIDE,
            "reason": "sent twice",
        }
        submitted = await merchant.post(SUBMIT, body)
        assert (submitted["status"], submitted["fee"]) == ("SUBMITTED", "1")
        again = await merchant.order(SUBMIT, {**body, "reason": "again"})
        assert (again.status, again.code) == (409, "INVALID_STATE")
        results = await asyncio.gather(*(approve(house, merchant, fund) for _ in range(5)), return_exceptions=True)
        assert [result for result in results if result == "REFUNDING"] == ["REFUNDING"]
        assert all(isinstance(result, InvalidState) for result in results if result != "REFUNDING")

        async def refunded() -> list[dict[str, Any]]:
            return await funds(merchant, status="REFUNDED")

        (done,) = await house.until(refunded)
        after = await house.nodes["BSC"].token_balance(token.contract, OUTSIDE)
        assert after - before == Money.parse("39", token.asset).minor
        receipt = await house.nodes["BSC"].receipt(done["refundHash"])
        assert receipt is not None
        assert receipt.succeeded

    async def test_the_rest_of_an_overpaid_link_goes_back_too(self, house: Installation, merchant: Merchant) -> None:
        link = await made_and_chosen(house, merchant)
        await pay(house, link, "130")
        await settled(house)
        (fund,) = await funds(merchant)
        body = {"abnormalFundId": fund["abnormalFundId"], "action": "REFUND", "refundAddress": OUTSIDE, "reason": "x"}
        await merchant.post(SUBMIT, body)
        assert await approve(house, merchant, fund) == "REFUNDING"

        async def refunded() -> list[dict[str, Any]]:
            return await funds(merchant, status="REFUNDED")

        await house.until(refunded)
        assert await merchant.available() == "100"

    async def test_a_credit_gives_it_to_the_wallet_once(self, house: Installation, merchant: Merchant) -> None:
        fund = await duplicate(house, merchant)
        await merchant.post(
            SUBMIT, {"abnormalFundId": fund["abnormalFundId"], "action": "CREDIT", "reason": "a second order"}
        )

        async def credit() -> str:
            async with house.parts.database.transaction() as tx:
                decided = await operations.credit_abnormal_fund(
                    tx, merchant.merchant_id, int(fund["abnormalFundId"]), DECISION
                )
            return decided.status

        results = await asyncio.gather(*(credit() for _ in range(5)), return_exceptions=True)
        assert [result for result in results if result == "CREDITED"] == ["CREDITED"]
        assert await merchant.available() == "140"

    @pytest.mark.parametrize(
        ("change", "status", "code", "fields"),
        [
            ({"refundAddress": None}, 400, "INVALID_REQUEST", ["refundAddress"]),
            ({"refundAddress": "0x12"}, 400, "INVALID_REQUEST", ["refundAddress"]),
            ({"refundAddress": OUTSIDE.swapcase().replace("0X", "0x")}, 400, "INVALID_REQUEST", ["refundAddress"]),
            ({"action": "KEEP"}, 400, "INVALID_REQUEST", ["action"]),
            ({"reason": ""}, 400, "INVALID_REQUEST", ["reason"]),
            ({"abnormalFundId": "1"}, 404, "ABNORMAL_FUND_NOT_FOUND", []),
        ],
    )
    async def test_bad_words(
        self, merchant: Merchant, change: dict[str, object], status: int, code: str, fields: list[str]
    ) -> None:
        body = {"abnormalFundId": "2", "action": "REFUND", "refundAddress": OUTSIDE, "reason": "x", **change}
        answer = await merchant.order(SUBMIT, body)
        assert (answer.status, answer.code, answer.fields) == (status, code, fields)

    async def test_a_refund_that_the_fee_would_eat_is_refused(self, house: Installation, merchant: Merchant) -> None:
        fund = await duplicate(house, merchant, "0.9")
        body = {"abnormalFundId": fund["abnormalFundId"], "action": "REFUND", "refundAddress": OUTSIDE, "reason": "x"}
        answer = await merchant.order(SUBMIT, body)
        assert (answer.status, answer.code) == (422, "REFUND_UNECONOMIC")


async def test_the_books_are_sound_after_all_this(house: Installation) -> None:
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
