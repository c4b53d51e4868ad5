"""Traces, where an operator says to send them: one follows an answer from its webhook to figure, case and statement.

A recorded span travels as W3C `traceparent`: in an HTTP header, in a column of the outbox, in a header of the record.
A batch mixes the traces of many: each traced event gets a span in its own trace, with a link to the span of the batch.
Told are routes, topics, keys and ids; never a payload, a path or a query, which may name a customer.

Without FAIRLOOP_OTLP_URL there is no `Tracing`, the SDK is not loaded, and nothing makes a span. How much is
recorded, and what else exporters can be told, is set by OpenTelemetry's own variables (`OTEL_…`).
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    format_span_id,
    format_trace_id,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop import __version__
from fairloop.events import EventData
from fairloop.log.port import Record
from fairloop.wire import TRACEPARENT, Delivery

Origin = Callable[[EventData], str | None]
"""The traceparent of what has made an event true."""

_ORIGIN = "origin"
_LAST_EXPORT_SECONDS = 3.0
_answering: ContextVar[str | None] = ContextVar("traceparent", default=None)
_w3c = TraceContextTextMapPropagator()


def current() -> str | None:
    """The traceparent of the request that is being answered; None when it is not recorded."""
    return _answering.get()


def origins(session: AsyncSession, events: Sequence[EventData]) -> list[str | None]:
    """What to put beside each event in the outbox."""
    origin: Origin | None = session.info.get(_ORIGIN)
    return [current()] * len(events) if origin is None else [origin(event) for event in events]


class Processing:
    """A batch with traced events, from when it is first tried until it is committed or given up."""

    def __init__(self, tracer: Tracer, batch: Sequence[Delivery], carried: Mapping[int, str]) -> None:
        """`carried`: place in the batch → traceparent."""
        where = batch[0].record
        about = {
            "messaging.system": "fairloop",
            "messaging.operation.type": "process",
            "messaging.destination.name": where.topic,
            "messaging.destination.partition.id": str(where.partition),
        }
        contexts = {place: _context(traceparent) for place, traceparent in carried.items()}
        self._spans: list[Span] = []
        links: list[Link] = []
        if len(batch) > 1:
            whole = tracer.start_span(
                f"process {where.topic} batch",
                context=Context(),
                kind=SpanKind.CONSUMER,
                attributes={**about, "messaging.batch.message_count": len(batch)},
                links=[Link(get_current_span(context).get_span_context()) for context in contexts.values()],
            )
            self._spans.append(whole)
            if whole.is_recording():
                links = [Link(whole.get_span_context())]
        self._by_key: dict[str, str | None] = dict.fromkeys(delivery.key for delivery in batch)
        for place, context in contexts.items():
            delivery = batch[place]
            span = tracer.start_span(
                f"process {where.topic}",
                context=context,
                kind=SpanKind.CONSUMER,
                attributes={**about, **_identity(delivery.type, delivery.key, delivery.event_id)},
                links=links,
            )
            self._spans.append(span)
            self._by_key[delivery.key] = _traceparent(span)
        self._rest = _traceparent(self._spans[0])

    def begin(self, session: AsyncSession) -> None:
        """What is published in this session comes from this batch: from the event about the same response or key."""
        session.info[_ORIGIN] = self._origin

    def _origin(self, event: EventData) -> str | None:
        subject = getattr(event, "response_id", None)
        return self._by_key.get(event.key if subject is None else str(subject), self._rest)

    def end(self, failure: str | None = None) -> None:
        for span in self._spans:
            if failure is not None:
                span.set_status(StatusCode.ERROR, failure)
            span.end()


class Tracing:
    """Makes the spans of one process."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def request(self, method: str, traceparent: str | None) -> Iterator[Span]:
        """The span of a request, in the caller's trace when it names one. Meanwhile `current` is its."""
        span = self._tracer.start_span(method, context=_context(traceparent), kind=SpanKind.SERVER)
        token = _answering.set(_traceparent(span))
        try:
            yield span
        finally:
            _answering.reset(token)
            span.end()

    def sending(self, rows: Sequence[Any]) -> dict[int, Span]:
        """`seq` of each traced row of the outbox → a span that began when the row was written. End them."""
        return {
            row["seq"]: self._tracer.start_span(
                f"send {row['topic']}",
                context=_context(row["traceparent"]),
                kind=SpanKind.PRODUCER,
                start_time=_nanoseconds(row["created_at"]),
                attributes={
                    "messaging.system": "fairloop",
                    "messaging.operation.type": "send",
                    "messaging.destination.name": row["topic"],
                    "messaging.destination.partition.id": str(row["part"]),
                    **_identity(row["type"], row["key"], row["event_id"].bytes),
                },
            )
            for row in rows
            if row["traceparent"] is not None
        }

    def processing(self, batch: Sequence[Delivery]) -> Processing | None:
        """None when no event of the batch is traced."""
        carried = {
            place: traceparent
            for place, delivery in enumerate(batch)
            if (traceparent := _carried_by(delivery.record)) is not None
        }
        return Processing(self._tracer, batch, carried) if carried else None


def carried_on(row: Any, spans: Mapping[int, Span]) -> str | None:
    """The traceparent that the record of an outbox row takes along."""
    span = spans.get(row["seq"])
    carried: str | None = row["traceparent"] if span is None else _traceparent(span)
    return carried


@asynccontextmanager
async def traced(service: str, otlp_url: str) -> AsyncIterator[Tracing | None]:
    """Traces to an OTLP receiver (HTTP, `<otlp_url>/v1/traces`); None without one.

    What is left at the end is sent for three seconds. A receiver that is away costs spans, nothing else.
    """
    if not otlp_url:
        yield None
        return
    from fairloop.tracing_otlp import exporting  # noqa: PLC0415 - OpenTelemetry's SDK is slow to load

    provider = exporting(service, otlp_url)
    try:
        yield Tracing(provider.get_tracer("fairloop", __version__))
    finally:
        closing = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, _LAST_EXPORT_SECONDS)


def _context(traceparent: str | None) -> Context:
    """An empty one, where a trace begins, for what names no span."""
    return _w3c.extract({} if traceparent is None else {TRACEPARENT: traceparent}, context=Context())


def _traceparent(span: Span) -> str | None:
    if not span.is_recording():
        return None
    context = span.get_span_context()
    return f"00-{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}-01"


def _carried_by(record: Record) -> str | None:
    for name, value in record.headers:
        if name == TRACEPARENT:
            return value.decode("ascii", errors="replace")
    return None


def _identity(type: str, key: str, event_id: bytes) -> dict[str, str]:
    known = {"messaging.message.id": str(UUID(bytes=event_id))} if len(event_id) == 16 else {}
    return {"fairloop.type": type, "fairloop.key": key, **known}


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
