"""The hosted page in a real browser, paid on the sandbox's chain: exactly, under, over, late, on another network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from installation import Installation, Merchant
from payment_links import detail, made_and_chosen, make, path_of, pay, settled

pytestmark = pytest.mark.full

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "pages"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 860}


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


@pytest.fixture
async def page(house: Installation, browser: Browser) -> AsyncIterator[Page]:
    """A page on a phone that reports whatever it should not do."""
    context = await browser.new_context(viewport=PHONE, base_url=house.base_url, locale="en")
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=house.base_url)
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
    page.on(
        "request",
        lambda request: None if request.url.startswith(house.base_url) else faults.append(f"asks {request.url}"),
    )
    yield page
    await context.close()
    assert faults == []


def is_fault(message: ConsoleMessage) -> bool:
    """Whether the console tells of a fault: a form that is sent back to be filled in is none."""
    return message.type == "error" and "422 (Unprocessable" not in message.text


async def look(page: Page, name: str) -> None:
    """Keep pictures on a phone and on a desktop, light and dark; nothing overflows, nothing keeps anybody out."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    for size, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme)
        device = "phone" if size is PHONE else "desktop"
        await page.screenshot(path=ARTEFACTS / f"{name}-{device}-{scheme}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        results = await Axe().run(page)
        assert results.response["violations"] == [], results.generate_report()
    await page.set_viewport_size(PHONE)
    await page.emulate_media(color_scheme="light")


async def opened(page: Page, link: dict[str, Any]) -> None:
    await page.goto(path_of(link))


async def test_paid_exactly_by_keyboard_from_the_choice_to_the_way_back(
    house: Installation, merchant: Merchant, page: Page
) -> None:
    link = await make(
        merchant, payerInfo=None, productRemark="Two bags of coffee", returnUrl="https://shop.example/thanks"
    )
    await opened(page, link)
    await expect(page).to_have_title("Pay Café Aurora")
    await look(page, "1-choose")
    await page.locator("#way-1").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Who is paying?")).to_be_visible()
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_text("Please check what is marked below.")).to_be_visible()
    await look(page, "2-payer")
    await page.get_by_label("First name").fill("Ana")
    await page.get_by_label("Last name").fill("Sousa")
    await page.get_by_label("Country").select_option("MX")
    await page.get_by_label("What I say here is true").check()
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Send 100 USDT")).to_be_visible()
    await look(page, "3-pay")
    chosen = await detail(merchant, link)
    await page.get_by_role("button", name="Copy the address").click()
    assert await page.evaluate("navigator.clipboard.readText()") == chosen["address"]
    await page.get_by_role("button", name="Copy the amount").click()
    assert await page.evaluate("navigator.clipboard.readText()") == "100"
    uri = await page.locator("#open-wallet").get_attribute("href")
    assert uri is not None
    assert uri.startswith("ethereum:0x")
    assert uri.endswith(f"@56/transfer?address={chosen['address']}&uint256={100 * 10**18}")
    await pay(house, chosen, "100")
    await house.round()
    await expect(page.get_by_role("heading", name="Your payment is on its way")).to_be_visible()
    await expect(page.locator("#voice")).to_contain_text("Payment seen: 1 of 3 confirmations")
    await look(page, "4-seen")
    await house.round()
    await expect(page.locator(".ring span")).to_have_text("2/3")
    await settled(house, 4)
    await expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    back = page.get_by_role("link", name="Back to Café Aurora")
    assert await back.get_attribute("href") == "https://shop.example/thanks"
    await look(page, "5-paid")


async def test_under_asks_for_the_rest_and_over_says_where_it_is(
    house: Installation, merchant: Merchant, page: Page
) -> None:
    link = await made_and_chosen(house, merchant)
    await opened(page, link)
    await pay(house, link, "60")
    await settled(house, 5)
    await expect(page.locator("#state").get_by_text("60 of 100 USDT have arrived")).to_be_visible()
    await expect(page.locator("#the-amount")).to_have_text("40")
    await look(page, "6-under")
    await pay(house, link, "70")
    await settled(house, 5)
    await expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    await expect(page.get_by_text("You sent 30 USDT more than was asked")).to_be_visible()
    await look(page, "7-over")


async def test_late_says_not_to_send_again(house: Installation, merchant: Merchant, page: Page) -> None:
    link = await made_and_chosen(house, merchant)
    await opened(page, link)
    await merchant.post("/v1/mock/clock/advance", {"seconds": 3601})
    await settled(house, 2)
    await expect(page.get_by_role("heading", name="This payment link has expired")).to_be_visible()
    await expect(page.get_by_text("Do not send anything to this address now")).to_be_visible()
    await look(page, "8-expired")
    await pay(house, link, "100")
    await settled(house, 5)
    await expect(page.get_by_text("100 USDT came too late")).to_be_visible()
    await expect(page.locator("#state").get_by_text(link["paymentId"]).first).to_be_visible()
    await look(page, "9-late")


async def test_another_network_is_told_and_the_right_one_still_asked_for(
    house: Installation, merchant: Merchant, page: Page
) -> None:
    link = await made_and_chosen(house, merchant)
    await opened(page, link)
    await pay(house, link, "100", network="ETH")
    await settled(house, 5)
    await expect(page.get_by_text("100 USDT came on another network than chosen")).to_be_visible()
    await expect(page.get_by_role("heading", name="Send 100 USDT")).to_be_visible()
    await look(page, "10-other-network")


async def test_without_scripts_a_payer_can_do_all_that_is_needed(
    house: Installation, merchant: Merchant, browser: Browser
) -> None:
    link = await make(merchant)
    context = await browser.new_context(
        viewport=PHONE, base_url=house.base_url, java_script_enabled=False, locale="pt-BR"
    )
    page = await context.new_page()
    await page.goto(path_of(link))
    await page.locator("label[for=way-1]").click(force=True)
    await page.get_by_role("button", name="Continuar").click()
    chosen = await detail(merchant, link)
    assert (await page.locator("#the-address").inner_text()) == chosen["address"]
    await page.locator("label[for=qr-plain]").click()
    assert await page.locator(".plain-code svg").is_visible()
    assert not await page.locator(".full-code svg").is_visible()
    await page.screenshot(path=ARTEFACTS / "11-without-scripts.png", full_page=True)
    await pay(house, chosen, "100")
    await settled(house, 5)
    await page.reload()
    assert await page.get_by_role("heading", name="Pago").is_visible()
    await context.close()


async def test_what_a_merchant_writes_does_not_run(house: Installation, merchant: Merchant, page: Page) -> None:
    name = "<img src=x onerror=alert(1)> \u202eمتجر\u202c 🦄 " + "w" * 60
    link = await made_and_chosen(house, merchant, recipientName=name, productRemark="<script>alert(2)</script>")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    await opened(page, link)
    await expect(page.locator(".merchant-name")).to_contain_text("<img src=x")
    await look(page, "12-tricky")
