"""Tracing against a collector that speaks OTLP over HTTP: requests, operations, commits, jobs, webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bpn.kernel import spans
from bpn.kernel.spans import span
from bpn.wiring.tracing import tracing
from installation import Installation, Merchant, receiving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


@dataclass
class Collector:
    """Decodes what is exported to it."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == "application/x-protobuf"
        exported = ExportTraceServiceRequest.FromString(await request.read())
        for of_resource in exported.resource_spans:
            named = {pair.key: pair.value.string_value for pair in of_resource.resource.attributes}
            self.services.add(named["service.name"])
            for of_scope in of_resource.scope_spans:
                self.spans += of_scope.spans
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")

    def named(self, name: str) -> list[Span]:
        return [one for one in self.spans if one.name == name]


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    found = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", found.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


def attributes(one: Span) -> dict[str, str | int]:
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in one.attributes}


async def traced(house: Installation, collector: Collector, work: object, share: float = 1.0) -> None:
    """Run a coroutine with tracing on, then let everything be sent."""
    settings = house.parts.settings.model_copy(update={"otlp_endpoint": collector.url, "traced_share": share})
    opened = tracing(settings, "api")
    opened.__enter__()
    try:
        await work  # type: ignore[misc]
    finally:
        # Closing waits for the collector, which answers in this loop.
        await asyncio.to_thread(opened.__exit__, None, None, None)


async def test_a_request_is_traced_to_its_commit_in_the_callers_trace(
    house: Installation, merchant: Merchant, collector: Collector
) -> None:
    async def work() -> None:
        answer = await merchant.order(
            "/v1/wallet/sub-account/create", {"name": "Store"}, traceparent=f"00-{TRACE}-{CALLER}-01"
        )
        assert answer.body["traceId"] == TRACE

    await traced(house, collector, work())
    (request,) = collector.named("POST /v1/wallet/sub-account/create")
    (operation,) = collector.named("create_sub_account")
    (transaction,) = collector.named("transaction")
    assert collector.services == {"bpn-api"}
    assert {one.trace_id.hex() for one in (request, operation, transaction)} == {TRACE}
    assert request.parent_span_id.hex() == CALLER
    assert (operation.parent_span_id, transaction.parent_span_id) == (request.span_id, operation.span_id)
    assert attributes(request)["http.response.status_code"] == 200
    assert attributes(transaction) == {"bpn.calls": 1}
    assert request.kind == Span.SPAN_KIND_SERVER


async def test_without_a_caller_the_trace_is_the_one_of_the_answer(
    house: Installation, merchant: Merchant, collector: Collector
) -> None:
    answers = []

    async def work() -> None:
        answers.append(await merchant.ask("/v1/wallet/asset-balance", currency="XXX"))

    await traced(house, collector, work())
    (request,) = collector.named("GET /v1/wallet/asset-balance")
    assert request.trace_id.hex() == answers[0].body["traceId"]
    assert attributes(request)["http.response.status_code"] == 422


async def test_requests_that_share_a_commit_are_linked(
    house: Installation, merchant: Merchant, collector: Collector
) -> None:
    await merchant.receive("10")
    store = await merchant.sub_wallet()

    async def transfer(number: int) -> None:
        order = {"merchantTransactionId": f"t-{number}", "fromWalletId": merchant.wallet_id, "toWalletId": store}
        await merchant.post("/v1/wallet/internal-transfer", {**order, "currency": "USDT", "amount": "0.1"})

    async def work() -> None:
        await asyncio.gather(*(transfer(number) for number in range(12)))

    await traced(house, collector, work())
    operations = {one.span_id for one in collector.named("transfer_between_wallets")}
    transactions = collector.named("transaction")
    told = [one.parent_span_id for one in transactions] + [link.span_id for one in transactions for link in one.links]
    assert (len(operations), sorted(told)) == (12, sorted(operations))
    assert sum(int(attributes(one)["bpn.calls"]) for one in transactions) == 12


async def test_a_webhook_carries_its_trace(house: Installation, merchant: Merchant, collector: Collector) -> None:
    async with receiving() as receiver:
        receiver.secret = merchant.api_secret
        made = await merchant.post("/v1/webhook/endpoint/set", {"url": receiver.url})

        async def work() -> None:
            await merchant.post("/v1/webhook/endpoint/test", {"endpointId": made["endpointId"]})
            await house.work()

        await traced(house, collector, work())
        ((headers, _),) = receiver.raw
    (webhook,) = collector.named("webhook")
    version, trace_id, span_id, flags = headers["traceparent"].split("-")
    assert (version, trace_id, span_id) == ("00", webhook.trace_id.hex(), webhook.span_id.hex())
    assert int(flags, 16) & 1, "it is sampled"
    assert attributes(webhook) == {"bpn.event_type": "TEST", "http.response.status_code": 200}


async def test_a_share_of_nothing_is_nothing(house: Installation, merchant: Merchant, collector: Collector) -> None:
    await traced(house, collector, merchant.ask("/v1/wallet/asset-balance"), share=0.0)
    assert collector.spans == []


async def test_a_failure_is_told_by_its_type_only(house: Installation, collector: Collector) -> None:
    async def work() -> None:
        with pytest.raises(ValueError, match="of a name"), span("job wallet.read_blocks"):
            raise ValueError("a detail of a name")

    await traced(house, collector, work())
    (failed,) = collector.named("job wallet.read_blocks")
    assert (failed.status.code, failed.status.message, list(failed.events)) == (2, "ValueError", [])


async def test_nothing_is_traced_without_a_collector(house: Installation, merchant: Merchant) -> None:
    with tracing(house.parts.settings, "api"):
        assert spans.TRACING.tracer is None
        assert spans.outgoing_headers() == {}
        assert (await merchant.ask("/v1/wallet/asset-balance")).status == 200
