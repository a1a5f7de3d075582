"""What tests of payment links do: make links, choose on the page as a payer would, pay on the sandbox's chains."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx

from bpn.kernel.money import Money
from installation import Installation, Merchant

_numbers = count(1)
PAYER = {"payerType": "individual", "firstName": "Ana", "lastName": "Sousa", "country": "MX"}
PAYER_FORM = {
    "kind": "person",
    "firstName": "Ana",
    "lastName": "Sousa",
    "country": "MX",
    "source": "wallet",
    "declaration": "yes",
}


def link_body(**other: object) -> dict[str, object]:
    """The body of a link of 100 USD; `other` replaces fields."""
    return {
        "userOrderNo": f"order-{next(_numbers)}",
        "paymentLinkType": "one_time",
        "fiatCurrency": "USD",
        "fiatAmount": "100",
        "supportCurrency": "USDT,USDC",
        "supportNetwork": "BSC,ETH",
        "recipientName": "Café Aurora",
        "paymentValidTime": 60,
        "payerInfo": PAYER,
        **other,
    }


async def make(merchant: Merchant, **other: object) -> dict[str, Any]:
    made: dict[str, Any] = await merchant.post("/v1/payment-link/create", link_body(**other))
    return made


def path_of(link: dict[str, Any]) -> str:
    return urlsplit(link["paymentLink"]).path


async def choose(house: Installation, link: dict[str, Any], way: str = "USDT@BSC", **form: str) -> httpx.Response:
    return await house.http.post(f"{path_of(link)}/choice", data={"way": way, **form})


async def made_and_chosen(
    house: Installation, merchant: Merchant, way: str = "USDT@BSC", **other: object
) -> dict[str, Any]:
    link = await make(merchant, **other)
    answer = await choose(house, link, way)
    assert answer.status_code == 303, answer.text
    return await detail(merchant, link)


async def detail(merchant: Merchant, link: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await merchant.get("/v1/payment-link/detail", paymentId=link["paymentId"])
    return found


async def pay(
    house: Installation, link: dict[str, Any], amount: str, currency: str = "USDT", network: str = "BSC"
) -> str:
    """Send to the link's address on chain; it is in the next block. The hash."""
    token = house.parts.wallet_terms.networks[network].tokens[currency]
    minor = Money.parse(amount, token.asset).minor
    return await house.chains[network].send_token(token.contract, link["address"], minor)


async def settled(house: Installation, rounds: int = 6) -> None:
    """Let blocks and jobs pass until what was sent is decided."""
    for _ in range(rounds):
        await house.round()


async def funds(merchant: Merchant, **query: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await merchant.get("/v1/payment-link/abnormal-fund/list", **query))["list"]
    return found


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(page: str) -> str:
    """What a page says, as one line."""
    reader = _Text()
    reader.feed(page)
    return " ".join(" ".join(reader.parts).split())


async def page_of(house: Installation, link: dict[str, Any], language: str = "en") -> str:
    answer = await house.http.get(path_of(link), headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.text
