"""Pay-ins: from what a bank tells to money in a master account, with orders and facts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import count, islice
from typing import Any

from bpn.chapters.accounts import operations as accounts
from bpn.cli.bench.figure import Course, Figure
from bpn.cli.installation import open_installation
from bpn.cli.sandbox import Sandbox, wait_for
from bpn.client import Client
from bpn.ports.readers import AccountNumbers, BankParty, PayIn
from bpn.wiring.house import House

_BATCH = 500
_WRITERS = 2
_ACCOUNTS = 20
_SOURCE = "BENCH"


async def measure(course: Course) -> list[Figure]:
    """Batches as a bank's reader gives them, spread over accounts of one merchant: all settle into one master."""
    opened = await asyncio.to_thread(_prepare, course.sandbox)
    async with open_installation(course.sandbox.settings) as house:
        numbers = []
        async with house.database.reading() as tx:
            for account_id in opened:
                account = await accounts.get_virtual_account(
                    house.account_terms, tx, course.sandbox.merchant_id, account_id
                )
                numbers.append(account.numbers)
        rate = await _pay_ins(house, [one for one in numbers if one is not None], course.seconds)
    return [Figure(f"pay-ins booked, batches of {_BATCH}, one master account", rate, 0.25)]


def _prepare(sandbox: Sandbox) -> list[int]:
    with sandbox.client() as client:
        return [_open(client) for _ in range(_ACCOUNTS)]


def _open(client: Client) -> int:
    account: str = client.post("/v1/virtual-account/sub/create", {"currency": "EUR"})["accountId"]

    def ready() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get("/v1/virtual-account/sub/detail", accountId=account)
        return found if found["status"] == "SUCCESS" else None

    wait_for(ready, "the account to be opened")
    return int(account)


async def _pay_ins(house: House, numbers: Sequence[AccountNumbers], seconds: float) -> float:
    until = time.monotonic() + seconds
    done = await asyncio.gather(*(_tell(house, numbers, writer, until) for writer in range(_WRITERS)))
    return sum(done) / seconds


async def _tell(house: House, numbers: Sequence[AccountNumbers], writer: int, until: float) -> int:
    told, booked = count(), 0
    while time.monotonic() < until:
        entries = [_entry(house, numbers, f"{writer}-{number}") for number in islice(told, _BATCH)]
        async with house.database.transaction() as tx:
            await accounts.record_entries(house.account_terms, tx, _SOURCE, entries)
        booked += len(entries)
    return booked


def _entry(house: House, numbers: Sequence[AccountNumbers], name: str) -> PayIn:
    return PayIn(
        reference=f"bench-{name}",
        handles=numbers[hash(name) % len(numbers)].handles,
        currency="EUR",
        amount="1.00",
        payer=BankParty(name="Carla Dias", account="DE89370400440532013000"),
        remittance=None,
        end_to_end_id=None,
        booked_at=house.clock.now(),
    )
