"""Group commit: in batches or one by one, in the order of arrival, everybody gets the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bpn.api.gathering import Gathering

orders = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 30)), max_size=40)


class Till:
    """Pays orders from a balance, each name once."""

    def __init__(self) -> None:
        self.left = 200
        self.paid: dict[str, int] = {}
        self.batches: list[int] = []

    async def settle(self, batch: Sequence[tuple[str, int]]) -> list[str]:
        self.batches.append(len(batch))
        await asyncio.sleep(0)
        # As the corridor does: what is paid already is looked up once, before the batch.
        known = dict(self.paid)
        return [self.pay(name, amount, known) for name, amount in batch]

    def pay(self, name: str, amount: int, known: dict[str, int]) -> str:
        if amount == 13:
            raise RuntimeError("a fault of one")
        if name in known:
            return "repeated" if known[name] == amount else "conflict"
        if amount > self.left:
            return "insufficient"
        self.left -= amount
        self.paid[name] = amount
        return "paid"


async def run(given: list[tuple[str, int]], largest: int) -> tuple[list[object], Till]:
    till = Till()
    gathering = Gathering(till.settle, largest, lambda order: [order[0]])
    if largest == 1:
        results: list[object] = []
        for order in given:
            try:
                results.append(await gathering.run(order))
            except RuntimeError as fault:
                results.append(str(fault))
        return results, till
    found = await asyncio.gather(*(gathering.run(order) for order in given), return_exceptions=True)
    return [str(one) for one in found], till


@given(orders.filter(lambda given: all(amount != 13 for _, amount in given)), st.integers(2, 16))
def test_the_same_outcomes_as_one_by_one(given: list[tuple[str, int]], largest: int) -> None:
    singly, alone = asyncio.run(run(given, 1))
    together, till = asyncio.run(run(given, largest))
    assert together == singly
    assert (till.left, till.paid) == (alone.left, alone.paid)
    assert max(till.batches, default=0) <= largest


async def test_a_fault_of_one_does_not_take_the_others_with_it() -> None:
    results, _ = await run([("a", 1), ("b", 13), ("c", 2)], 8)
    assert results[1] == "a fault of one"
    assert results[0] in {"paid", "repeated"}
    assert results[2] == "paid"
