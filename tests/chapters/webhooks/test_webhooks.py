"""Endpoints, deliveries, signatures, tries, resending; a receiver that misbehaves on purpose."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from bpn.chapters.webhooks import rules
from bpn.chapters.webhooks.model import SCHEDULE, Attempt, DeliveryState
from installation import Installation, Merchant, Receiver, receiving

SET = "/v1/webhook/endpoint/set"
LIST = "/v1/webhook/endpoint/list"
EVENTS = "/v1/webhook/event/list"
DEAD = "http://127.0.0.1:9/webhooks"


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
    """An event of its own: a whitelist entry; its id."""
    return (await merchant.whitelist("0x" + f"{merchant.timestamp():040x}"))["whitelistId"]


async def due_now(house: Installation, merchant: Merchant) -> None:
    """Let the wait until the next try pass."""
    async with house.parts.database.transaction() as tx:
        await tx.connection.execute(
            "UPDATE webhook_deliveries SET due_at = now() WHERE merchant_id = %s AND state = 'PENDING'",
            (merchant.merchant_id,),
        )


async def deliver(house: Installation) -> None:
    for _ in range(3):
        await house.work()


class TestEndpoints:
    async def test_set_list_change_delete(self, merchant: Merchant, receiver: Receiver) -> None:
        made = await merchant.post(SET, {"url": receiver.url})
        assert made["secret"].startswith("whsec_")
        (listed,) = (await merchant.get(LIST))["list"]
        assert listed == {**made, "secret": None}
        changed = await merchant.post(
            SET, {"endpointId": made["endpointId"], "eventTypes": ["transaction_status"], "enabled": False}
        )
        assert (changed["url"], changed["eventTypes"], changed["enabled"]) == (
            receiver.url,
            ["TRANSACTION_STATUS"],
            False,
        )
        await merchant.post("/v1/webhook/endpoint/delete", {"endpointId": made["endpointId"]})
        assert (await merchant.get(LIST))["list"] == []

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({}, 400, "INVALID_REQUEST"),
            ({"url": "ftp://x.example"}, 400, "INVALID_REQUEST"),
            ({"url": "https://user:pass@x.example"}, 400, "INVALID_REQUEST"),
            ({"url": "not a url"}, 400, "INVALID_REQUEST"),
            ({"url": "https://x.example", "eventTypes": ["NOTHING"]}, 400, "INVALID_REQUEST"),
            ({"url": "https://x.example", "apiKey": "bpn_x"}, 422, "API_KEY_NOT_USABLE"),
            ({"endpointId": "1", "url": "https://x.example"}, 404, "WEBHOOK_ENDPOINT_NOT_FOUND"),
        ],
    )
    async def test_refuses(self, merchant: Merchant, body: dict[str, object], status: int, code: str) -> None:
        answer = await merchant.order(SET, body)
        assert (answer.status, answer.code) == (status, code)

    async def test_nobody_elses(self, house: Installation, merchant: Merchant, receiver: Receiver) -> None:
        made = await merchant.post(SET, {"url": receiver.url})
        other = await house.merchant()
        for path in ("delete", "rotate", "test"):
            answer = await other.order(f"/v1/webhook/endpoint/{path}", {"endpointId": made["endpointId"]})
            assert (answer.status, answer.code) == (404, "WEBHOOK_ENDPOINT_NOT_FOUND")


class TestDelivery:
    async def test_an_event_is_signed_in_every_way(
        self, house: Installation, merchant: Merchant, receiver: Receiver
    ) -> None:
        made = await merchant.post(SET, {"url": receiver.url})
        reference = await something_happens(merchant)
        await deliver(house)
        ((headers, body),) = receiver.raw
        assert receiver.forged == 0
        assert headers["API-KEY"] == headers["X-BPN-API-KEY"] == merchant.api_key
        assert headers["API-SIGNATURE"] == headers["X-BPN-SIGNATURE"]
        Webhook(made["secret"]).verify(body, headers)
        event = json.loads(body)
        assert list(event) == ["eventId", "eventType", "timestamp", "referenceId", "status", "data"]
        assert event["referenceId"] == reference
        assert headers["webhook-id"] == event["eventId"]

    async def test_a_get_from_the_handler_never_sees_an_older_state(
        self, house: Installation, merchant: Merchant, receiver: Receiver
    ) -> None:
        await merchant.post(SET, {"url": receiver.url, "eventTypes": ["TRANSACTION_STATUS"]})
        await merchant.receive("10")
        await deliver(house)
        order = ["CONFIRMING", "SENDER_REQUIRED", "SCREENING", "COMPLETED"]
        assert sorted({event["status"] for event in receiver.received}, key=order.index) == order
        stamps = [event["timestamp"] for event in sorted(receiver.received, key=lambda e: order.index(e["status"]))]
        assert stamps == sorted(set(stamps))
        record = await merchant.record(transactionId=receiver.received[0]["referenceId"])
        completed = next(event for event in receiver.received if event["status"] == "COMPLETED")
        assert record is not None
        assert {**completed["data"], "confirmations": 0} == {**record, "confirmations": 0}

    async def test_only_the_types_asked_for(self, house: Installation, merchant: Merchant, receiver: Receiver) -> None:
        await merchant.post(SET, {"url": receiver.url, "eventTypes": ["DEPOSIT_SENDER_REQUIRED"]})
        await something_happens(merchant)
        await deliver(house)
        assert receiver.received == []

    async def test_failed_tries_follow_the_schedule_and_are_shown(
        self, house: Installation, merchant: Merchant, receiver: Receiver
    ) -> None:
        receiver.status = 500
        await merchant.post(SET, {"url": receiver.url})
        reference = await something_happens(merchant)
        for _ in range(3):
            await deliver(house)
            await due_now(house, merchant)
        (event,) = (await merchant.get(EVENTS, referenceId=reference))["list"]
        (delivery,) = event["deliveries"]
        assert delivery["state"] == "PENDING"
        assert [one["httpStatus"] for one in delivery["tries"]] == [500, 500, 500]
        receiver.status = 204
        await due_now(house, merchant)
        await deliver(house)
        (event,) = (await merchant.get(EVENTS, referenceId=reference))["list"]
        assert event["deliveries"][0]["state"] == "DELIVERED"
        assert len({one["eventId"] for one in receiver.received}) == 1
        assert len(receiver.received) == 4

    async def test_a_dead_endpoint_delays_nobody(
        self, house: Installation, merchant: Merchant, receiver: Receiver
    ) -> None:
        await merchant.post(SET, {"url": DEAD})
        await merchant.post(SET, {"url": receiver.url})
        for _ in range(5):
            await something_happens(merchant)
        await deliver(house)
        assert len(receiver.received) == 5

    async def test_410_disables_the_endpoint(self, house: Installation, merchant: Merchant, receiver: Receiver) -> None:
        receiver.status = 410
        await merchant.post(SET, {"url": receiver.url})
        await something_happens(merchant)
        await deliver(house)
        (endpoint,) = (await merchant.get(LIST))["list"]
        assert (endpoint["enabled"], endpoint["disabledReason"]) == (False, "The endpoint answered 410 Gone.")
        await something_happens(merchant)
        await deliver(house)
        assert len(receiver.raw) == 1

    async def test_redirects_are_not_followed(
        self, house: Installation, merchant: Merchant, receiver: Receiver
    ) -> None:
        receiver.status, receiver.headers = 302, {"Location": receiver.url}
        await merchant.post(SET, {"url": receiver.url})
        await something_happens(merchant)
        await deliver(house)
        assert len(receiver.raw) == 1

    async def test_two_secrets_sign_during_a_rotation(
        self, house: Installation, merchant: Merchant, receiver: Receiver
    ) -> None:
        made = await merchant.post(SET, {"url": receiver.url})
        rotated = await merchant.post("/v1/webhook/endpoint/rotate", {"endpointId": made["endpointId"]})
        assert rotated["secret"] != made["secret"]
        await merchant.post("/v1/webhook/endpoint/test", {"endpointId": made["endpointId"]})
        await deliver(house)
        ((headers, body),) = receiver.raw
        for secret in (made["secret"], rotated["secret"]):
            Webhook(secret).verify(body, headers)
        assert json.loads(body)["eventType"] == "TEST"


class TestResend:
    async def test_only_what_failed_with_the_same_event_id(
        self, house: Installation, merchant: Merchant, receiver: Receiver
    ) -> None:
        await merchant.post(SET, {"url": receiver.url})
        await something_happens(merchant)
        await deliver(house)
        receiver.status = 500
        reference = await something_happens(merchant)
        await deliver(house)
        async with house.parts.database.transaction() as tx:
            await tx.connection.execute(
                "UPDATE webhook_deliveries SET state = 'FAILED' WHERE merchant_id = %s AND state = 'PENDING'",
                (merchant.merchant_id,),
            )
        receiver.status = 200
        before = len(receiver.received)
        assert await merchant.post("/v1/webhook/resend-fail", {}) == {"resent": 1}
        await deliver(house)
        again = receiver.received[before:]
        assert [event["referenceId"] for event in again] == [reference]
        assert again[0]["eventId"] == receiver.received[before - 1]["eventId"]
        assert await merchant.post("/v1/webhook/resend-fail", {}) == {"resent": 0}

    async def test_refuses(self, merchant: Merchant) -> None:
        answer = await merchant.order("/v1/webhook/resend-fail", {"eventId": "x"})
        assert (answer.status, answer.fields) == (400, ["eventId"])


class TestSchedule:
    def attempt(self, number: int, status: int | None, retry_after: int | None = None) -> Attempt:
        from datetime import UTC, datetime  # noqa: PLC0415 - a constant of these tests

        return Attempt(number, datetime(2026, 1, 1, tzinfo=UTC), status, 5, None, b"", retry_after)

    @pytest.mark.parametrize(("number", "wait"), list(enumerate(SCHEDULE, 1)))
    def test_waits_grow_as_published(self, number: int, wait: timedelta) -> None:
        attempt = self.attempt(number, 500)
        state, due = rules.after_attempt(attempt, SCHEDULE, 0.5)
        assert (state, due - attempt.attempted_at) == (DeliveryState.PENDING, wait)

    def test_after_the_last_it_has_failed(self) -> None:
        assert rules.after_attempt(self.attempt(len(SCHEDULE) + 1, None), SCHEDULE, 0.5)[0] is DeliveryState.FAILED

    @pytest.mark.parametrize("status", [200, 201, 204, 299])
    def test_any_2xx_is_success(self, status: int) -> None:
        assert rules.after_attempt(self.attempt(1, status), SCHEDULE, 0.5)[0] is DeliveryState.DELIVERED

    def test_retry_after_is_honoured(self) -> None:
        attempt = self.attempt(1, 503, 600)
        assert rules.after_attempt(attempt, SCHEDULE, 0.5)[1] - attempt.attempted_at == timedelta(seconds=600)
