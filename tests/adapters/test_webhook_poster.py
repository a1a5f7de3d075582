"""Posting to merchants: nothing inside is reached, however it is spelled; an answer is kept small."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest
from aiohttp import web

from bpn.adapters.webhook.guard import is_public
from bpn.adapters.webhook.poster import HttpWebhookPoster

INSIDE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_outside(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "017700000001", "127.1", "[::1]", "[::ffff:127.0.0.1]"],
)
async def test_every_spelling_of_loopback_is_refused(host: str) -> None:
    poster = HttpWebhookPoster(allow_private_addresses=False)
    answer = await poster.post(f"http://{host}:9/", b"{}", {})
    await poster.close()
    assert answer.status is None
    assert "ForbiddenAddressError" in (answer.error or "") or "not public" in (answer.error or "")


async def test_a_name_that_is_rebound_is_checked_on_the_address_connected_to() -> None:
    async def rebinding(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", "127.0.0.1"]

    poster = HttpWebhookPoster(allow_private_addresses=False, resolver=rebinding)
    answer = await poster.post("http://innocent.example/", b"{}", {})
    await poster.close()
    assert "not public" in (answer.error or "")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def large(_request: web.Request) -> web.Response:
        return web.Response(text="x" * 100_000, headers={"Retry-After": "120"}, status=503)

    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    application = web.Application()
    application.router.add_post("/large", large)
    application.router.add_post("/slow", slow)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_the_first_kibibyte_is_kept(url: str) -> None:
    poster = HttpWebhookPoster(allow_private_addresses=True)
    answer = await poster.post(f"{url}/large", b"{}", {})
    await poster.close()
    assert (answer.status, len(answer.body), answer.retry_after_seconds) == (503, 1024, 120)


async def test_a_slow_receiver_is_given_up(url: str) -> None:
    poster = HttpWebhookPoster(allow_private_addresses=True, timeout_seconds=0.2)
    answer = await poster.post(f"{url}/slow", b"{}", {})
    await poster.close()
    assert answer.status is None
    assert "0.2 seconds" in (answer.error or "")
