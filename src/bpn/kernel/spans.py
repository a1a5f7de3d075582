"""Spans of OpenTelemetry: what was done within what, and how long it took. Nothing at all while tracing is off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import propagate, trace
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, Tracer

Attributes = Mapping[str, str | int]


@dataclass(slots=True)
class Tracing:
    """Where this process's spans go; `tracer` is None while tracing is off."""

    tracer: Tracer | None = None


TRACING = Tracing()


@contextmanager
def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: SpanContext | None = None,
    links: Sequence[SpanContext] = (),
) -> Iterator[Span | None]:
    """A span around a block, below the present one or below `parent`; None where nothing is traced.

    A block that raises marks its span as failed, by the error's type: its text may hold what is nobody's business.
    """
    tracer = TRACING.tracer
    if tracer is None:
        yield None
        return
    context = None if parent is None else trace.set_span_in_context(NonRecordingSpan(parent))
    with tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        links=[Link(one) for one in links],
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except BaseException as error:
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def present() -> SpanContext | None:
    """The span that is open here, None where nothing is traced."""
    return None if TRACING.tracer is None else trace.get_current_span().get_span_context()


def remote_parent(traceparent: str) -> SpanContext | None:
    """The caller's span, as its header `traceparent` names it."""
    context = trace.get_current_span(propagate.extract({"traceparent": traceparent})).get_span_context()
    return context if context.is_valid else None


def outgoing_headers() -> dict[str, str]:
    """What tells whoever we call that they work within the present span; nothing where nothing is traced."""
    headers: dict[str, str] = {}
    if TRACING.tracer is not None:
        propagate.inject(headers)
    return {name: value for name, value in headers.items() if name == "traceparent"}
