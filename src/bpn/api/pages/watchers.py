"""Who watches which page in this process, and how a change reaches them all: rendered once, sent to each.

One connection of the process listens for notices; a page watched by five hundred costs one reading per change and
language. A watcher holds the newest state only, so a slow one costs no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from starlette.types import Receive, Scope, Send

from bpn.api.pages.kit import digest_of

Render = Callable[[], Awaitable[str]]
"""Reads and renders what the page shows now."""

_HEARTBEAT_SECONDS = 20.0
_LONGEST_WATCH_SECONDS = 3600.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
log = structlog.get_logger(__name__)


class _Feed:
    """One page in one language, with those who watch it."""

    def __init__(self, render: Render) -> None:
        self.render = render
        self.watchers: set[_Watcher] = set()
        self.digest: str | None = None
        self.event = b""
        self.stale = True
        self.refreshing: asyncio.Task[None] | None = None

    def refresh(self) -> None:
        """Render anew, and again if a change comes meanwhile."""
        self.stale = True
        if self.refreshing is None or self.refreshing.done():
            self.refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        while self.stale and self.watchers:
            self.stale = False
            try:
                text = await self.render()
            except Exception:
                log.exception("page.not_rendered")
                return
            digest = digest_of(text)
            if digest != self.digest:
                self.digest, self.event = digest, _event(digest, text)
            for watcher in self.watchers:
                watcher.wake.set()


class _Watcher:
    def __init__(self, feed: _Feed, seen: str | None) -> None:
        self.feed = feed
        self.seen = seen
        self.wake = asyncio.Event()

    def take(self) -> bytes:
        """What is to be sent: the newest state, nothing when it was seen."""
        self.wake.clear()
        if self.feed.digest is None or self.feed.digest == self.seen:
            return b""
        self.seen = self.feed.digest
        return self.feed.event


class Watchers:
    """All who watch pages of this process. `largest`: how many at most; others are told to come again later."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._feeds: dict[str, dict[str, _Feed]] = {}
        self.count = 0

    async def hear(self, topic: str) -> None:
        """The page of a topic has changed; of all topics when it is empty."""
        topics = [topic] if topic else list(self._feeds)
        for name in topics:
            for feed in self._feeds.get(name, {}).values():
                feed.refresh()

    def stream(self, topic: str, variant: str, seen: str | None, render: Render) -> EventStream:
        """The answer that keeps a watcher up to date.

        Args:
            topic: what notices call the page.
            variant: what else its text depends on: the language.
            seen: the digest of what the watcher shows already.
            render: makes the text; the first watcher's serves all of the same topic and variant.
        """
        return EventStream(self, topic, variant, seen, render)

    def full(self) -> bool:
        """Whether no more may watch here."""
        return self.count >= self._largest

    def enter(self, topic: str, variant: str, seen: str | None, render: Render) -> _Watcher:
        """Begin to watch."""
        feed = self._feeds.setdefault(topic, {}).setdefault(variant, _Feed(render))
        watcher = _Watcher(feed, seen)
        feed.watchers.add(watcher)
        self.count += 1
        if feed.digest is None or feed.stale:
            feed.refresh()
        else:
            watcher.wake.set()
        return watcher

    def leave(self, topic: str, variant: str, watcher: _Watcher) -> None:
        """Watch no longer."""
        self.count -= 1
        watcher.feed.watchers.discard(watcher)
        if not watcher.feed.watchers and self._feeds.get(topic, {}).get(variant) is watcher.feed:
            del self._feeds[topic][variant]
            if not self._feeds[topic]:
                del self._feeds[topic]


class EventStream:
    """A server-sent event stream as an ASGI answer: the newest state whenever it changes, a heartbeat between."""

    def __init__(self, watchers: Watchers, topic: str, variant: str, seen: str | None, render: Render) -> None:
        self._watchers = watchers
        self._arguments = (topic, variant, seen, render)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader goes away, an hour at most: browsers come back by themselves."""
        if self._watchers.full():
            await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"30")]})
            await send({"type": "http.response.body", "body": b""})
            return
        topic, variant, _, _ = self._arguments
        watcher = self._watchers.enter(*self._arguments)
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _send_part(send, b"retry: 2000\n\n")
            loop = asyncio.get_running_loop()
            end = loop.time() + _LONGEST_WATCH_SECONDS
            while not gone.done() and loop.time() < end:
                waiting = asyncio.create_task(watcher.wake.wait())
                await asyncio.wait({gone, waiting}, timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                woken = waiting.done()
                waiting.cancel()
                if gone.done():
                    return
                await _send_part(send, watcher.take() if woken else b": still here\n\n")
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            self._watchers.leave(topic, variant, watcher)


async def _disconnected(receive: Receive) -> None:
    message: MutableMapping[str, Any] = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


async def _send_part(send: Send, part: bytes) -> None:
    if part:
        await send({"type": "http.response.body", "body": part, "more_body": True})


def _event(digest: str, text: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"id: {digest}\n{lines}\n".encode()
