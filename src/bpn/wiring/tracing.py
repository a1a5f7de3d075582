"""Tracing, where the settings name a collector: spans go to it by OTLP over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from bpn.api.tracing import TRACE_ID
from bpn.kernel.spans import TRACING
from bpn.settings import Settings


class _RequestsIds(RandomIdGenerator):
    """Gives a request's first span the trace id that the request is answered with."""

    def generate_trace_id(self) -> int:
        given = TRACE_ID.get()
        return super().generate_trace_id() if given is None else int(given, 16)


@contextmanager
def tracing(settings: Settings, role: str) -> Iterator[None]:
    """Trace this process while the block runs; what is left is sent at its end. Nothing without a collector.

    Args:
        settings: name the collector, and the share of traces that are kept.
        role: what this process is, `api` or `worker`.
    """
    if settings.otlp_endpoint is None:
        yield
        return
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"bpn-{role}", "service.version": version("bpn")}),
        sampler=ParentBased(TraceIdRatioBased(settings.traced_share)),
        id_generator=_RequestsIds(),
    )
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    TRACING.tracer = provider.get_tracer("bpn")
    try:
        yield
    finally:
        TRACING.tracer = None
        provider.shutdown()
