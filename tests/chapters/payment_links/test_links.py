"""Links over signed HTTP: made, listed, cancelled; bad input; many at once; permanent ones."""

from __future__ import annotations

import asyncio

import pytest

from installation import Installation, Merchant
from payment_links import choose, detail, link_body, made_and_chosen, make, page_of, path_of, pay, settled, text_of

CREATE = "/v1/payment-link/create"
PUBLIC_KEYS = [
    "paymentId", "referencePaymentId", "productRemark", "userOrderNo", "recipientName", "recipientAccountId",
    "fiatCurrency", "fiatAmount", "cryptoCurrency", "cryptoAmount", "quotePrice", "supportCurrency", "supportNetwork",
    "payerInfo", "returnUrl", "status", "paymentLinkType", "paymentValidTime", "paymentLink", "effectiveTime",
    "expiresTime", "createTime",
]  # fmt: skip


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def test_every_public_key_is_there_first_and_the_payer_comes_back(merchant: Merchant) -> None:
    made = await make(merchant)
    assert list(made)[: len(PUBLIC_KEYS)] == PUBLIC_KEYS
    assert made["payerInfo"]["firstName"] == "Ana"
    token = made["paymentLink"].rsplit("/", 1)[1]
    assert len(token) >= 32
    assert token not in made["paymentId"]


async def test_the_same_order_again_is_the_same_link(merchant: Merchant) -> None:
    body = link_body()
    first = await merchant.post(CREATE, body)
    assert await merchant.post(CREATE, body) == first
    other = await merchant.order(CREATE, {**body, "fiatAmount": "2"})
    assert (other.status, other.code) == (409, "IDEMPOTENCY_CONFLICT")


async def test_two_hundred_at_once_are_two_hundred_links_with_addresses_of_their_own(
    house: Installation, merchant: Merchant
) -> None:
    links = await asyncio.gather(*(make(merchant) for _ in range(200)))
    assert len({link["paymentId"] for link in links}) == len({link["paymentLink"] for link in links}) == 200
    chosen = await asyncio.gather(*(choose(house, link) for link in links))
    assert {answer.status_code for answer in chosen} == {303}
    listed = await merchant.post("/v1/payment-link/list", {"pageSize": 200, "status": "active"})
    assert listed["total"] == 200
    assert len({link["address"] for link in listed["list"]}) == 200


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"fiatAmount": None}, 400, "fiatAmount"),
        ({"fiatAmount": "0"}, 400, "fiatAmount"),
        ({"fiatAmount": "1.001"}, 400, "fiatAmount"),
        ({"fiatCurrency": "XQX"}, 400, "fiatCurrency"),
        ({"paymentValidTime": 0}, 400, "paymentValidTime"),
        ({"paymentValidTime": 43_201}, 400, "paymentValidTime"),
        ({"supportCurrency": ","}, 400, "supportCurrency"),
        ({"supportCurrency": "DOGE"}, 422, "currency"),
        ({"supportNetwork": "SOLANA"}, 422, None),
        ({"recipientAccountId": 7}, 404, None),
        ({"recipientName": " "}, 400, "recipientName"),
        ({"payerInfo": {"firstName": "Ana"}}, 400, "payerInfo.lastName"),
        ({"returnUrl": "http://shop.example/"}, 400, "returnUrl"),
        ({"returnUrl": "javascript:alert(1)"}, 400, "returnUrl"),
        ({"returnUrl": "https://shop.example@evil.example/"}, 400, "returnUrl"),
        ({"returnUrl": "https:\\\\evil.example"}, 400, "returnUrl"),
        ({"returnUrl": "https://shop.example\t.evil.example/"}, 400, "returnUrl"),
        ({"returnUrl": "//evil.example/"}, 400, "returnUrl"),
        ({"returnUrl": "https:///evil.example"}, 400, "returnUrl"),
    ],
)
async def test_bad_fields_are_named(
    merchant: Merchant, change: dict[str, object], status: int, field: str | None
) -> None:
    answer = await merchant.order(CREATE, link_body(**change))
    assert answer.status == status, answer.text
    assert field is None or answer.fields == [field]


async def test_a_return_url_shows_its_host_in_plain_letters(house: Installation, merchant: Merchant) -> None:
    link = await made_and_chosen(house, merchant, returnUrl="https://\u0440\u0430ypal.example/")
    await pay(house, link, "100")
    await settled(house)
    page = await page_of(house, link)
    assert "xn--" in text_of(page)


async def test_filters_of_the_list(house: Installation, merchant: Merchant) -> None:
    first, second = await make(merchant), await make(merchant, paymentLinkType="permanent")
    chosen = await make(merchant)
    await choose(house, chosen)

    async def ids(**filters: object) -> list[str]:
        return [link["paymentId"] for link in (await merchant.post("/v1/payment-link/list", filters))["list"]]

    assert await ids() == [chosen["paymentId"], second["paymentId"], first["paymentId"]]
    assert await ids(status="init") == [first["paymentId"]]
    assert await ids(paymentLinkType="permanent") == [second["paymentId"]]
    assert await ids(userOrderNo=first["userOrderNo"]) == [first["paymentId"]]
    assert await ids(startTime=chosen["createTime"] + 60_000) == []
    assert await ids(endTime=first["createTime"]) == []
    assert (await house.merchant()).merchant_id != merchant.merchant_id
    stranger = await house.merchant()
    answer = await stranger.ask("/v1/payment-link/detail", paymentId=first["paymentId"])
    assert (answer.status, answer.code) == (404, "PAYMENT_LINK_NOT_FOUND")


async def test_cancelling_once_and_never_after_it_is_paid(house: Installation, merchant: Merchant) -> None:
    link = await made_and_chosen(house, merchant)
    cancel = {"paymentId": link["paymentId"]}
    assert (await merchant.post("/v1/payment-link/cancel", cancel))["status"] == "cancelled"
    assert (await merchant.order("/v1/payment-link/cancel", cancel)).code == "INVALID_STATE"
    assert "This payment was cancelled" in text_of(await page_of(house, link))
    assert (await choose(house, link)).status_code == 303
    assert (await detail(merchant, link))["status"] == "cancelled"


async def test_the_config_names_contract_confirmations_and_explorer(merchant: Merchant) -> None:
    found = await merchant.get("/v1/payment-link/currency-network-config", currency="USDT", network="BSC")
    (config,) = found["list"]
    assert (config["chainId"], config["scale"], config["minimumAmount"], config["confirmations"]) == (
        56, 18, "0.000001", 3,
    )  # fmt: skip
    assert (config["enabled"], config["explorerUrl"]) == (True, "https://bscscan.com")


class TestPermanent:
    async def test_each_payment_is_an_order_of_its_own_and_the_link_stays(
        self, house: Installation, merchant: Merchant
    ) -> None:
        link = await make(merchant, paymentLinkType="permanent")
        assert (link["status"], link["expiresTime"]) == ("active", None)
        for _ in range(2):
            answer = await choose(house, link)
            assert answer.status_code == 303
            assert answer.headers["location"] != path_of(link)
        listed = (await merchant.post("/v1/payment-link/list", {"paymentLinkType": "one_time"}))["list"]
        assert {order["referencePaymentId"] for order in listed} == {link["paymentId"]}
        for order in listed:
            await pay(house, order, "100")
        await settled(house)
        for order in listed:
            assert (await detail(merchant, order))["status"] == "completed"
        assert (await detail(merchant, link))["status"] == "active"
        assert await merchant.available() == "200"

    async def test_an_open_amount_is_the_payers(self, house: Installation, merchant: Merchant) -> None:
        link = await make(merchant, paymentLinkType="permanent", fiatAmount=None)
        for bad in ("", "0", "abc", "-5", "1e3", "1.001"):
            answer = await choose(house, link, amount=bad)
            assert answer.status_code == 422, bad
            assert "Enter an amount above zero" in text_of(answer.text)
        assert (await choose(house, link, amount="25,50")).status_code == 303
        (order,) = (await merchant.post("/v1/payment-link/list", {"paymentLinkType": "one_time"}))["list"]
        assert (order["fiatAmount"], order["cryptoAmount"]) == ("25.5", "25.5")
