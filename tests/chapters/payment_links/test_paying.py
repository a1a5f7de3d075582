"""Links that are paid: in one payment or several, exactly or not, in time or not."""

from __future__ import annotations

import pytest

from installation import Installation, Merchant, receiving
from payment_links import detail, funds, made_and_chosen, make, page_of, pay, settled, text_of


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def test_a_link_from_its_making_to_the_balance(house: Installation) -> None:
    async with receiving() as receiver:
        merchant = await house.merchant(receiver.url)
        receiver.secret = merchant.api_secret
        made = await make(merchant, returnUrl="https://shop.example/thanks")
        assert (made["status"], made["cryptoAmount"], made["address"]) == ("init", None, None)
        assert "How would you like to pay?" in text_of(await page_of(house, made))
        answer = await house.http.post(f"/pay/{made['paymentLink'].rsplit('/', 1)[1]}/choice", data={"way": "USDT@BSC"})
        assert answer.status_code == 303
        link = await detail(merchant, made)
        assert (link["status"], link["cryptoAmount"], link["quotePrice"]) == ("active", "100", "1")
        page = await page_of(house, made)
        assert link["address"] in text_of(page).replace(" ", "")
        assert f"uint256={100 * 10**18}" in page
        await pay(house, link, "100")
        await house.round()
        seen = await detail(merchant, link)
        assert (seen["status"], seen["confirmingAmount"]) == ("active", "100")
        assert "Your payment is on its way" in text_of(await page_of(house, made))
        await settled(house)
        paid = await detail(merchant, link)
        assert (paid["status"], paid["paidAmount"], paid["remainingAmount"], paid["labels"]) == (
            "completed",
            "100",
            "0",
            [],
        )
        assert await merchant.available() == "100"
        assert "Café Aurora has received 100 USDT." in text_of(await page_of(house, made))
        assert await funds(merchant) == []
        await house.round()
        statuses = [
            event["data"]["status"] for event in receiver.received if event["eventType"] == "PAYMENT_LINK_UPDATED"
        ]
        assert statuses[0] == "init"
        assert statuses[-1] == "completed"
        assert receiver.of("CRYPTO_DEPOSIT_ORDER", "RECEIVED")


async def test_several_payments_below_the_minimum_deposit_sum_up(house: Installation, merchant: Merchant) -> None:
    link = await made_and_chosen(house, merchant)
    await pay(house, link, "99.5")
    await settled(house)
    partly = await detail(merchant, link)
    assert (partly["status"], partly["labels"], partly["remainingAmount"]) == ("active", ["UNDER"], "0.5")
    assert await merchant.available() == "0"
    page = text_of(await page_of(house, link))
    assert "99.5 of 100 USDT have arrived" in page
    assert "Still send 0.5 USDT before" in page
    await pay(house, link, "0.5")
    await settled(house)
    assert (await detail(merchant, link))["status"] == "completed"
    assert await merchant.available() == "100"


async def test_what_is_above_stays_in_suspense(house: Installation, merchant: Merchant) -> None:
    link = await made_and_chosen(house, merchant)
    await pay(house, link, "130")
    await settled(house)
    paid = await detail(merchant, link)
    assert (paid["status"], paid["labels"], paid["netAmount"]) == ("completed", ["OVER"], "100")
    assert await merchant.available() == "100"
    (fund,) = await funds(merchant)
    assert (fund["amount"], fund["labels"], fund["status"]) == ("30", ["OVER"], "PENDING")
    assert fund["relatedPaymentId"] == link["paymentId"]
