"""Group commit: what arrives while one batch is worked on makes up the next one. No timer is needed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gathering(Generic[Item, Result]):
    """Settles items in batches, each item with its own result.

    Args of the constructor:
        settle: works on a batch and returns a result per item; when it raises, the items are tried one by one, so
            that a fault of one does not take the others with it.
        largest: how many items a batch may have; with 1 nobody shares and nobody waits.
        names: what must not stand twice in a batch. A batch ends before an item that would repeat a name, so that
            the outcomes are those of one by one in the order of arrival.
    """

    def __init__(
        self,
        settle: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        largest: int,
        names: Callable[[Item], Iterable[Hashable]] = lambda _: (),
    ) -> None:
        self._settle = settle
        self._largest = largest
        self._names = names
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._draining: asyncio.Task[None] | None = None

    async def run(self, item: Item) -> Result:
        """The result of an item, once its batch is settled. Raises what `settle` raised for it alone."""
        if self._largest == 1:
            (result,) = await self._settle([item])
            return result
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await answer

    async def _drain(self) -> None:
        while self._waiting:
            await self._let_arrive()
            batch = self._next_batch()
            try:
                results = await self._settle([item for item, _ in batch])
            except Exception:  # noqa: BLE001 - tried again one by one, where it is raised to whom it belongs
                await self._drain_singly(batch)
                continue
            for (_, answer), result in zip(batch, results, strict=True):
                if not answer.done():
                    answer.set_result(result)
        self._draining = None

    async def _let_arrive(self) -> None:
        """Go on gathering as long as every turn of the loop brings another item.

        Callers that were answered together come back together: without this the first of them would be a batch alone,
        and the others would wait for it. One who is alone waits for two turns of the loop, microseconds.
        """
        waiting = 0
        while waiting < len(self._waiting) < self._largest:
            waiting = len(self._waiting)
            await asyncio.sleep(0)

    def _next_batch(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        taken: set[Hashable] = set()
        while self._waiting and len(batch) < self._largest:
            names = set(self._names(self._waiting[0][0]))
            if names & taken:
                break
            taken |= names
            batch.append(self._waiting.popleft())
        return batch

    async def _drain_singly(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        for item, answer in batch:
            try:
                (result,) = await self._settle([item])
            except Exception as fault:  # noqa: BLE001 - handed to whoever waits for this item
                if not answer.done():
                    answer.set_exception(fault)
            else:
                if not answer.done():
                    answer.set_result(result)
