"""Posting to merchants: nothing inside is reached, however it is spelled; an answer is kept small."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_address

import httpcore
import pytest
from aiohttp import web

from bpn.adapters.webhook.guard import ForbiddenAddressError, GuardedBackend, is_public
from bpn.adapters.webhook.poster import HttpWebhookPoster

INSIDE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "168.63.129.16",
    "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "100.100.100.200", "fd00:ec2::254", "192.0.0.192", "198.18.0.1",
    "240.0.0.1", "2001:db8::1", "100::1", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1", "2002:7f00:1::", "::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_outside(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.0.0.1.", "2130706433", "0x7f000001", "0x7F.1",
        "017700000001", "0177.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "%31%32%37.0.0.1",
        "①②⑦.⓪.⓪.①", "127。0。0。1",
        "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]",
        "[::ffff:0x7f.1]", "[fe80::1%25lo]", "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
        "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "168.63.129.16", "public.example@127.0.0.1", "1.1.1.1:80@127.0.0.1",
        "127.0.0.1\\@public.example", "127.0.0.1#@public.example", "127.0.0.1 .public.example",
    ],
)  # fmt: skip
async def test_no_spelling_of_an_address_inside_is_connected_to(host: str, inside: Inside) -> None:
    """Refused by the guard, or no address at all; in no case does anything arrive at a server inside."""
    poster = HttpWebhookPoster(allow_private_addresses=False)
    answer = await poster.post(f"http://{host}:{inside.port}/", b"{}", {})
    await poster.close()
    assert (answer.status, inside.connections) == (None, 0)
    assert answer.error
    assert any(word in answer.error for word in ("not public", "has no address", "InvalidURL", "UnsupportedProtocol"))


async def test_one_address_inside_is_enough_to_refuse() -> None:
    async def mixed(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", "127.0.0.1"]

    poster = HttpWebhookPoster(allow_private_addresses=False, resolver=mixed)
    answer = await poster.post("http://innocent.example/", b"{}", {})
    await poster.close()
    assert "not public" in (answer.error or "")


class Recording(httpcore.AsyncNetworkBackend):
    """Notes whom it is asked to connect to, and does not."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def connect_tcp(self, host: str, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        self.asked.append(host)
        raise httpcore.ConnectError("nobody there")


async def test_a_name_that_is_rebound_meanwhile_is_connected_to_at_the_address_that_was_checked() -> None:
    """The name is asked once; between check and connection nobody can change the answer."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    async def rebinding(_host: str, _port: int) -> list[str]:
        return next(answers)

    recording = Recording()
    guarded = GuardedBackend(recording, rebinding)
    with pytest.raises(httpcore.ConnectError, match="nobody there"):
        await guarded.connect_tcp("rebound.example", 443)
    assert recording.asked == ["93.184.216.34"]
    with pytest.raises(ForbiddenAddressError):
        await guarded.connect_tcp("rebound.example", 443)
    assert recording.asked == ["93.184.216.34"]


async def test_local_sockets_are_refused() -> None:
    with pytest.raises(ForbiddenAddressError):
        await GuardedBackend(Recording()).connect_unix_socket("/run/anything.sock")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_followed(url: str, inside: Inside, status: int) -> None:
    poster = HttpWebhookPoster(allow_private_addresses=True)
    answer = await poster.post(f"{url}/redirect?status={status}&port={inside.port}", b"{}", {})
    await poster.close()
    assert (answer.status, inside.connections) == (status, 0)


@dataclass
class Inside:
    """A server that must not be reached."""

    port: int
    connections: int = 0


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    found = Inside(0)

    async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()
    await server.wait_closed()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def large(_request: web.Request) -> web.Response:
        return web.Response(text="x" * 100_000, headers={"Retry-After": "120"}, status=503)

    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async def redirect(request: web.Request) -> web.Response:
        location = f"http://127.0.0.1:{request.query['port']}/"
        return web.Response(status=int(request.query["status"]), headers={"Location": location})

    application = web.Application()
    application.router.add_post("/redirect", redirect)
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
