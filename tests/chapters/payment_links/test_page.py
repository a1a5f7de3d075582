"""The hosted page over plain HTTP: what it says, what it refuses, what its headers forbid, who may see it."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path
from string import Formatter

import httpx
import pytest

from bpn.api.pages import kit
from bpn.api.pages.languages import LANGUAGES, choose_language
from bpn.chapters.payment_links import pages
from installation import Installation, Merchant
from payment_links import PAYER_FORM, choose, detail, made_and_chosen, make, page_of, path_of, pay, settled, text_of

WORDS = [Path(kit.__file__).parent / "words", Path(pages.__file__).parent / "words"]


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


def catalogue(folder: Path, code: str) -> dict[str, str]:
    table = tomllib.loads((folder / f"{code}.toml").read_text())
    return {f"{section}.{key}": text for section, entries in table.items() for key, text in entries.items()}


@pytest.mark.parametrize("folder", WORDS, ids=lambda folder: folder.parent.name)
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_message_exists_in_every_language_with_the_same_places(folder: Path, code: str) -> None:
    english, other = catalogue(folder, "en"), catalogue(folder, code)
    assert set(other) == set(english)
    for key, text in english.items():
        places = {name for _, name, _, _ in Formatter().parse(text) if name}
        assert {name for _, name, _, _ in Formatter().parse(other[key]) if name} == places, f"{code}: {key}"


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "chosen"),
    [
        (None, None, "pt-PT,pt;q=0.9,en;q=0.8", "pt-BR"),
        (None, None, "fr,zh-TW;q=0.5,es;q=0.7", "es"),
        (None, "zh", "es", "zh"),
        ("es", "zh", "en", "es"),
        ("xx", None, "", "en"),
        (None, None, ";q=,,en;q=x,*", "en"),
        (None, None, "es;q=0,zh", "zh"),
    ],
)
def test_whose_language_it_is(asked: str | None, kept: str | None, accepted: str, chosen: str) -> None:
    assert choose_language(asked, kept, accepted) == chosen


async def test_the_page_speaks_the_readers_language_and_keeps_the_choice(
    house: Installation, merchant: Merchant
) -> None:
    link = await make(merchant, fiatCurrency="USD", fiatAmount="1250")
    assert "Como você quer pagar?" in text_of(await page_of(house, link, "pt-BR"))
    assert "您想如何付款" in text_of(await page_of(house, link, "zh-CN"))
    answer = await house.http.get(f"{path_of(link)}?lang=es")
    assert '<html lang="es"' in answer.text
    house.http.cookies.clear()
    assert "1250,00" in answer.text.replace(".", "")
    assert "bpn_language=es" in answer.headers["set-cookie"]


async def test_nothing_comes_from_elsewhere_and_nothing_runs_inline(house: Installation, merchant: Merchant) -> None:
    link = await made_and_chosen(house, merchant)
    answer = await house.http.get(path_of(link))
    policy = answer.headers["content-security-policy"]
    assert policy == kit.POLICY
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text
    sources = [part.split('"')[0] for part in answer.text.split('src="')[1:]]
    assert sources
    assert all(source.startswith("/static/") for source in sources)
    asset = await house.http.get(sources[0])
    assert "immutable" in asset.headers["cache-control"]
    assert (await house.http.get(sources[0].replace("/static/", "/static/0"))).status_code == 404


@pytest.mark.parametrize("change", ["", "x", "%00", "..%2f..%2fetc"])
async def test_a_tampered_token_is_nobodys(house: Installation, merchant: Merchant, change: str) -> None:
    link = await make(merchant)
    path = path_of(link)
    tampered = path[:-1] + ("A" if path[-1] != "A" else "B") + change
    for answer in (
        await house.http.get(tampered),
        await house.http.post(f"{tampered}/choice", data={"way": "USDT@BSC"}),
        await house.http.post(f"{tampered}/payer", data=PAYER_FORM),
        await house.http.get(f"{tampered}/events"),
        await house.http.get(f"/pay/{link['paymentId']}"),
    ):
        assert answer.status_code == 404
    assert (await detail(merchant, link))["status"] == "init"


TRICKY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "\u202eمتجر أحمد\u202c",
    "🦄🧾 Ünïcödé",
    "{0} {merchant.__class__} %s",
]


@pytest.mark.parametrize("text", TRICKY)
async def test_what_a_merchant_writes_is_shown_and_never_run(
    house: Installation, merchant: Merchant, text: str
) -> None:
    link = await made_and_chosen(
        house, merchant, recipientName=text, productRemark=text, userOrderNo=f"{text}{merchant.merchant_id}"
    )
    for language in LANGUAGES:
        page = await page_of(house, link, language)
        assert "<script>alert" not in page
        assert "<img" not in page
        assert text_of(page).count(" ".join(text.split())) >= 2
    await pay(house, link, "100")
    await settled(house)
    done = await page_of(house, link)
    assert "<script>alert" not in done
    assert "49" not in text_of(done).split()


class TestForms:
    async def test_a_way_that_the_link_lacks_is_refused_and_nothing_changes(
        self, house: Installation, merchant: Merchant
    ) -> None:
        link = await make(merchant, supportNetwork="BSC")
        for way in ("USDT@ETH", "DOGE@BSC", "", "USDT", "@"):
            answer = await choose(house, link, way)
            assert answer.status_code == 422
            assert "Choose one of these." in text_of(answer.text)
        assert (await detail(merchant, link))["status"] == "init"

    async def test_the_choice_may_change_until_money_is_seen(self, house: Installation, merchant: Merchant) -> None:
        link = await made_and_chosen(house, merchant)
        assert (await house.http.post(f"{path_of(link)}/change")).status_code == 303
        assert (await detail(merchant, link))["status"] == "init"
        await choose(house, link, "USDC@ETH")
        again = await detail(merchant, link)
        assert (again["cryptoCurrency"], again["network"], again["address"]) == ("USDC", "ETH", link["address"])
        await pay(house, again, "10", "USDC", "ETH")
        await settled(house, 1)
        await choose(house, link, "USDT@BSC")
        assert (await detail(merchant, link))["cryptoCurrency"] == "USDC"

    async def test_a_price_is_held_for_a_while_and_can_be_renewed(
        self, house: Installation, merchant: Merchant
    ) -> None:
        link = await made_and_chosen(house, merchant)
        assert link["priceExpiresTime"] - link["createTime"] <= 901_000
        await merchant.post("/v1/mock/clock/advance", {"seconds": 901})
        await house.round()
        assert "The price is no longer held" in text_of(await page_of(house, link))
        assert (await house.http.post(f"{path_of(link)}/price")).status_code == 303
        renewed = await detail(merchant, link)
        assert renewed["priceExpiresTime"] > link["priceExpiresTime"]
        assert f"Send {link['cryptoAmount']} USDT" in text_of(await page_of(house, link))

    async def test_who_pays_is_asked_where_the_merchant_does_not_say(
        self, house: Installation, merchant: Merchant
    ) -> None:
        link = await made_and_chosen(house, merchant, payerInfo={"payerNameUnavailable": True})
        assert "Who is paying?" in text_of(await page_of(house, link))
        assert link["address"] not in await page_of(house, link)
        refused = await house.http.post(f"{path_of(link)}/payer", data={"kind": "person", "firstName": "<b>Ana"})
        assert refused.status_code == 422
        assert text_of(refused.text).count("Please fill this in.") == 2
        assert "&lt;b&gt;Ana" in refused.text
        assert (await house.http.post(f"{path_of(link)}/payer", data=PAYER_FORM)).status_code == 303
        assert link["address"] in text_of(await page_of(house, link)).replace(" ", "")
        await pay(house, link, "100")
        await settled(house)
        assert (await detail(merchant, link))["status"] == "completed"

    async def test_money_that_comes_before_the_payer_is_named_waits_for_it(
        self, house: Installation, merchant: Merchant
    ) -> None:
        link = await made_and_chosen(house, merchant, payerInfo=None)
        await pay(house, link, "100")
        await settled(house)
        assert (await detail(merchant, link))["transactions"][0]["status"] == "REVIEWING"
        assert "Who is paying?" in text_of(await page_of(house, link))
        await house.http.post(f"{path_of(link)}/payer", data=PAYER_FORM)
        await settled(house)
        assert (await detail(merchant, link))["status"] == "completed"

    async def test_a_form_too_large_is_a_form_not_filled_in(self, house: Installation, merchant: Merchant) -> None:
        link = await make(merchant)
        assert (await choose(house, link, "USDT@BSC", amount="9" * 50_000)).status_code == 422


class TestInTime:
    async def test_in_a_block_before_the_end_counts_though_confirmed_after(
        self, house: Installation, merchant: Merchant
    ) -> None:
        link = await made_and_chosen(house, merchant, paymentValidTime=10)
        await pay(house, link, "100")
        await house.round()
        await merchant.post("/v1/mock/clock/advance", {"seconds": 601})
        await house.round()
        waiting = await detail(merchant, link)
        assert (waiting["status"], waiting["confirmingAmount"]) == ("active", "100")
        assert "Your payment is on its way" in text_of(await page_of(house, link))
        await settled(house)
        assert (await detail(merchant, link))["status"] == "completed"

    async def test_what_is_under_at_the_end_becomes_abnormal(self, house: Installation, merchant: Merchant) -> None:
        link = await made_and_chosen(house, merchant, paymentValidTime=10)
        await pay(house, link, "60")
        await settled(house)
        await merchant.post("/v1/mock/clock/advance", {"seconds": 601})
        await settled(house)
        ended = await detail(merchant, link)
        assert (ended["status"], ended["labels"]) == ("expired", ["UNDER"])
        (fund,) = (await merchant.get("/v1/payment-link/abnormal-fund/list"))["list"]
        assert (fund["amount"], fund["labels"]) == ("60", ["UNDER"])
        page = text_of(await page_of(house, link))
        assert "Do not send anything to this address now" in page
        assert link["paymentId"] in page

    async def test_a_reorg_while_the_page_says_confirming(self, house: Installation, merchant: Merchant) -> None:
        link = await made_and_chosen(house, merchant)
        await pay(house, link, "100")
        await house.round()
        assert "Your payment is on its way" in text_of(await page_of(house, link))
        await house.chains["BSC"].reorganise(2, keep=False)
        await settled(house, 2)
        gone = await detail(merchant, link)
        assert (gone["status"], gone["confirmingAmount"]) == ("active", "0")
        assert gone["transactions"][0]["status"] == "ORPHANED"
        assert "Your payment is on its way" not in text_of(await page_of(house, link))

    @pytest.mark.parametrize("keep", [False, True])
    async def test_a_reorg_after_it_was_paid(self, house: Installation, merchant: Merchant, keep: bool) -> None:
        await house.chains["BSC"].mine(3)
        link = await made_and_chosen(house, merchant)
        await pay(house, link, "130")
        await settled(house, 5)
        assert (await detail(merchant, link))["status"] == "completed"
        await house.chains["BSC"].reorganise(8, keep=keep)
        await settled(house, 7)
        after = await detail(merchant, link)
        assert after["status"] == ("completed" if keep else "active")
        assert await merchant.available() == ("100" if keep else "0")
        found = (await merchant.get("/v1/payment-link/abnormal-fund/list", status="PENDING"))["list"]
        assert [fund["amount"] for fund in found] == (["30"] if keep else [])


async def test_five_hundred_watchers_see_a_payment_and_cost_one_rendering_each(
    house: Installation, merchant: Merchant
) -> None:
    link = await made_and_chosen(house, merchant)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=house.base_url, trust_env=False, limits=limits, timeout=60) as client:
        everybody_watches, seen = asyncio.Event(), 0
        watching = 0

        async def watch() -> None:
            nonlocal watching, seen
            async with client.stream("GET", f"{path_of(link)}/events", params={"seen": "nothing"}) as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("id:"):
                        watching += 1
                        if watching == 500:
                            everybody_watches.set()
                    if "Your payment is on its way" in line:
                        seen += 1
                        return

        watchers = [asyncio.create_task(watch()) for _ in range(500)]
        await everybody_watches.wait()
        assert house.parts.watchers.count == 500
        await pay(house, link, "100")
        await house.round()
        await asyncio.gather(*watchers)
        assert seen == 500
    while house.parts.watchers.count:
        await asyncio.sleep(0.01)
    assert house.parts.watchers._feeds == {}
