"""Tries that hang, workers that die, what operators see, and the filters of the list of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from bpn.chapters.webhooks import operations as webhooks
from bpn.chapters.webhooks.errors import WebhookEventNotFound
from bpn.chapters.webhooks.model import SCHEDULE, DeliveryState, EventTries
from installation import Installation, Merchant, Receiver, receiving

SET = "/v1/webhook/endpoint/set"
EVENTS = "/v1/webhook/event/list"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def merchant(house: Installation, receiver: Receiver) -> Merchant:
    merchant = await house.merchant()
    receiver.secret = merchant.api_secret
    return merchant


async def something_happens(merchant: Merchant) -> str:
    return (await merchant.whitelist("0x" + f"{merchant.timestamp():040x}"))["whitelistId"]


async def deliver(house: Installation) -> None:
    """A round for the relay, one for the deliveries."""
    for _ in range(2):
        await house.work()


async def tries_of(house: Installation, event_id: str) -> EventTries:
    async with house.parts.database.reading() as tx:
        return await webhooks.list_tries(tx, UUID(event_id))


async def change(house: Installation, merchant: Merchant, what: str) -> None:
    """Let time pass for the merchant's deliveries."""
    async with house.parts.database.transaction() as tx:
        await tx.connection.execute(
            f"UPDATE webhook_deliveries SET {what} WHERE merchant_id = %s AND state = 'PENDING'",  # type: ignore[arg-type]
            (merchant.merchant_id,),
        )


async def test_an_endpoint_that_hangs_delays_nobody(
    house: Installation, merchant: Merchant, receiver: Receiver
) -> None:
    """It has more events than it may have in hand; another endpoint, and another merchant, get theirs meanwhile."""
    async with receiving() as hanging, receiving() as elsewhere:
        hanging.hold = asyncio.Event()
        other = await house.merchant()
        elsewhere.secret = other.api_secret
        await merchant.post(SET, {"url": hanging.url})
        await merchant.post(SET, {"url": receiver.url})
        await other.post(SET, {"url": elsewhere.url})
        for _ in range(12):
            await something_happens(merchant)
        await something_happens(other)
        for _ in range(4):
            await house.work()
        held = len(hanging.raw)
        assert 0 < held <= 8
        assert (len(receiver.received), len(elsewhere.received)) == (12, 1)
        hanging.secret = merchant.api_secret
        hanging.hold.set()
        for _ in range(40):
            if len(hanging.received) == 12:
                break
            await house.work()
        assert len(hanging.received) == 12, "its own newer events came as soon as it answered"


async def test_a_killed_worker_resumes_the_schedule(
    house: Installation, merchant: Merchant, receiver: Receiver
) -> None:
    receiver.status = 500
    await merchant.post(SET, {"url": receiver.url})
    await something_happens(merchant)
    await deliver(house)
    await change(house, merchant, "due_at = now()")
    await deliver(house)
    # A worker claims it and is killed before it sends: the lease is all that is left of it.
    async with house.parts.database.transaction() as tx:
        await tx.connection.execute(
            "UPDATE webhook_deliveries SET due_at = now() WHERE merchant_id = %s", (merchant.merchant_id,)
        )
        ((delivery, _),) = [
            one
            for one in await webhooks.claim_deliveries(house.parts.webhook_terms, tx, 100)
            if one[0].event.merchant_id == merchant.merchant_id
        ]
    assert delivery.attempts == 2
    await house.work()
    assert len(receiver.raw) == 2, "it is in the dead worker's hand"
    await change(house, merchant, "leased_until = now()")
    await deliver(house)
    found = await tries_of(house, str(delivery.event.event_id))
    (shown,) = found.deliveries
    assert [one.number for one in shown.tries] == [1, 2, 3]
    waited = shown.due_at - shown.tries[-1].attempted_at
    assert SCHEDULE[2] * 0.9 <= waited <= SCHEDULE[2] * 1.1, "the third wait, not the first again"


async def test_operators_see_the_first_kibibyte_of_the_answer(
    house: Installation, merchant: Merchant, receiver: Receiver
) -> None:
    receiver.status, receiver.answer = 503, "x" * 5000
    await merchant.post(SET, {"url": receiver.url})
    reference = await something_happens(merchant)
    await deliver(house)
    (event,) = (await merchant.get(EVENTS, referenceId=reference))["list"]
    found = await tries_of(house, event["eventId"])
    ((one,),) = [delivery.tries for delivery in found.deliveries]
    assert (one.http_status, one.answer, one.error) == (503, b"x" * 1024, None)
    assert found.deliveries[0].state is DeliveryState.PENDING
    assert "answer" not in event["deliveries"][0]["tries"][0]
    with pytest.raises(WebhookEventNotFound):
        await tries_of(house, "00000000-0000-0000-0000-000000000000")


async def test_the_filters_of_the_list(house: Installation, merchant: Merchant, receiver: Receiver) -> None:
    await merchant.post(SET, {"url": receiver.url})
    references = [await something_happens(merchant) for _ in range(3)]
    await house.work()
    everything = (await merchant.get(EVENTS))["list"]
    assert [event["referenceId"] for event in everything] == references[::-1], "newest first"
    middle = everything[1]

    async def found(**query: object) -> list[str]:
        return [event["referenceId"] for event in (await merchant.get(EVENTS, **query))["list"]]

    assert await found(eventType="WALLET_ADDRESS_WHITELIST") == references[::-1]
    assert await found(eventType="TRANSACTION_STATUS") == []
    assert await found(referenceId=references[0]) == [references[0]]
    assert await found(eventId=middle["eventId"]) == [references[1]]
    assert await found(status=middle["status"]) == references[::-1]
    assert await found(status="REJECTED") == []
    assert await found(startTime=middle["timestamp"], endTime=middle["timestamp"] + 1) == [references[1]]
    assert await found(startTime=middle["timestamp"] + 1) == [references[2]]
    assert await found(endTime=middle["timestamp"]) == [references[0]]
    first = await merchant.get(EVENTS, pageSize=2)
    rest = await merchant.get(EVENTS, pageSize=2, cursor=first["cursor"])
    assert [event["referenceId"] for event in first["list"] + rest["list"]] == references[::-1]
    assert (await (await house.merchant()).get(EVENTS))["list"] == [], "nobody else's"
    assert (await merchant.ask(EVENTS, eventId="x")).fields == ["eventId"]


async def test_a_deleted_endpoint_gets_nothing_more(
    house: Installation, merchant: Merchant, receiver: Receiver
) -> None:
    made = await merchant.post(SET, {"url": receiver.url})
    await something_happens(merchant)
    await merchant.post("/v1/webhook/endpoint/delete", {"endpointId": made["endpointId"]})
    await house.work()
    assert receiver.raw == []
    assert (await merchant.get(EVENTS))["total"] == 1


async def test_old_events_are_forgotten_with_their_tries(
    house: Installation, merchant: Merchant, receiver: Receiver
) -> None:
    await merchant.post(SET, {"url": receiver.url})
    old = await something_happens(merchant)
    await house.work()
    (event,) = (await merchant.get(EVENTS))["list"]
    async with house.parts.database.transaction() as tx:
        await tx.connection.execute(
            "UPDATE webhook_events SET created_at = created_at - interval '91 days' WHERE merchant_id = %s",
            (merchant.merchant_id,),
        )
    kept = await something_happens(merchant)
    await house.job("webhooks.forget_old_events")()
    await house.work()
    assert old != kept
    assert [event["referenceId"] for event in (await merchant.get(EVENTS))["list"]] == [kept]
    with pytest.raises(WebhookEventNotFound):
        await tries_of(house, event["eventId"])
