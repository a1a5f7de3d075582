"""Any sequence of batches: the ledger and a naive auditor, who keeps his own books, agree on every outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.kernel.assets import Assets
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Movement, Outcome, Policy, Resolution, Transfer
from conftest import USDT, copy_database, open_database
from ledger_books import amount

WALLETS = range(4)
_books = count(1)


class Auditor:
    """Keeps balances in a dictionary and decides one movement at a time."""

    def __init__(self) -> None:
        self.posted = dict.fromkeys([*WALLETS, "capital"], 0)
        self.held = dict.fromkeys([*WALLETS, "capital"], 0)
        self.holds: dict[int, tuple[Any, Any, int]] = {}
        self.ended: set[int] = set()

    def chain(self, moves: list[tuple[Any, ...]]) -> Outcome:
        before = (dict(self.posted), dict(self.held), dict(self.holds), set(self.ended))
        for move in moves:
            outcome = self.move(*move)
            if outcome is not Outcome.POSTED:
                self.posted, self.held, self.holds, self.ended = before
                return outcome
        return Outcome.POSTED

    def move(self, kind: str, transfer_id: int, *rest: Any) -> Outcome:
        if kind in {"post", "void"}:
            return self.end(kind, rest[0])
        source, target, minor = rest
        if source != "capital" and self.posted[source] - self.held[source] < minor:
            return Outcome.INSUFFICIENT
        if kind == "hold":
            self.held[source] += minor
            self.holds[transfer_id] = (source, target, minor)
        else:
            self.posted[source] -= minor
            self.posted[target] += minor
        return Outcome.POSTED

    def end(self, kind: str, hold_id: int) -> Outcome:
        if hold_id not in self.holds:
            return Outcome.UNKNOWN_HOLD
        if hold_id in self.ended:
            return Outcome.ALREADY_RESOLVED
        source, target, minor = self.holds[hold_id]
        self.ended.add(hold_id)
        self.held[source] -= minor
        if kind == "post":
            self.posted[source] -= minor
            self.posted[target] += minor
        return Outcome.POSTED


places = st.sampled_from([*WALLETS, "capital"])
moves = st.one_of(
    st.tuples(st.sampled_from(["transfer", "hold"]), places, places, st.integers(1, 50)).filter(
        lambda move: move[1] != move[2]
    ),
    st.tuples(st.sampled_from(["post", "void"]), st.integers(0, 30)),
)
batches = st.lists(st.lists(moves, min_size=1, max_size=3), min_size=1, max_size=5)


def test_the_ledger_agrees_with_a_naive_auditor(server: EmbeddedPostgres) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        database = runner.run(_open(stack, copy_database(server)))

        class Machine(RuleBasedStateMachine):
            @initialize()
            def begin(self) -> None:
                self.book = next(_books)
                self.ids = count(1)
                self.hold_ids: list[int] = []
                self.auditor = Auditor()
                self.last: list[tuple[Movement, ...]] = []
                self.submit([[("transfer", "capital", place, 40)] for place in WALLETS])

            def account(self, place: Any) -> Account:
                if place == "capital":
                    return Account(self.book, "capital", USDT, Policy.ANY)
                return Account(self.book, f"wallet/{place}", USDT, Policy.CREDIT_BALANCE)

            def submit(self, batch: list[list[tuple[Any, ...]]]) -> None:
                chains, expected = [], []
                for chain in batch:
                    named: list[tuple[Any, ...]] = []
                    for move in chain:
                        named.append(self.name(move, {one for other in named for one in (other[1], other[2])}))
                    chains.append(tuple(self.movement(move) for move in named))
                    expected.append(self.auditor.chain(named))
                assert self.post(chains) == expected
                self.last = [chain for chain, outcome in zip(chains, expected, strict=True) if outcome.accepted]

            def name(self, move: tuple[Any, ...], named: set[Any]) -> tuple[Any, ...]:
                """Give a move its ids; a chain may name a hold only once."""
                transfer_id = next(self.ids)
                if move[0] in {"post", "void"}:
                    known = self.hold_ids[move[1]] if move[1] < len(self.hold_ids) else None
                    return move[0], transfer_id, 10_000 + transfer_id if known is None or known in named else known
                if move[0] == "hold":
                    self.hold_ids.append(transfer_id)
                return move[0], transfer_id, *move[1:]

            def movement(self, move: tuple[Any, ...]) -> Movement:
                kind, transfer_id, *rest = move
                if kind in {"post", "void"}:
                    return Resolution(transfer_id, self.book, rest[0], kind == "post", "test", 0)
                source, target, minor = rest
                pending = kind == "hold"
                return Transfer(
                    transfer_id, self.account(source), self.account(target), amount(minor), "test", 0, pending
                )

            def post(self, chains: list[tuple[Movement, ...]]) -> list[Outcome]:
                async def run() -> list[Outcome]:
                    async with database.transaction() as tx:
                        return await ledger.post(tx, chains)

                return runner.run(run())

            @rule(batch=batches)
            def post_a_batch(self, batch: list[list[tuple[Any, ...]]]) -> None:
                self.submit(batch)

            @rule()
            def replay(self) -> None:
                assert set(self.post(self.last)) <= {Outcome.REPEATED}

            @invariant()
            def balances_agree(self) -> None:
                if not hasattr(self, "auditor"):
                    return

                async def run() -> list[tuple[int, int]]:
                    async with database.reading() as tx:
                        found = await ledger.balances(tx, [self.account(place) for place in self.auditor.posted])
                    return [(balance.posted, balance.pending) for balance in found]

                kept = [(self.auditor.posted[place], self.auditor.held[place]) for place in self.auditor.posted]
                assert runner.run(run()) == kept
                assert sum(posted for posted, _ in kept) == 0

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=40,
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(_prove(database))
        runner.run(stack.aclose())


async def _open(stack: AsyncExitStack, url: str) -> Any:
    database = await stack.enter_async_context(open_database(url))
    async with database.transaction() as tx:
        await ledger.register_assets(tx, Assets([USDT]))
    return database


def _prove(database: Any) -> Coroutine[Any, Any, None]:
    async def run() -> None:
        async with database.transaction() as tx:
            while await ledger.seal(tx):
                pass
        async with database.transaction(snapshot=True) as tx:
            assert (await ledger.verify(tx)).findings == ()

    return run()
