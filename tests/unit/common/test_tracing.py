"""Which spans a batch makes, whose traces they are in, and what published events take along."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler
from tests.unit.common.spans import attributes_of, parent_of

from fairloop.events import EventData, OrgUnit
from fairloop.ids import uuid7
from fairloop.log.port import Record
from fairloop.tracing import Processing, Tracing, current
from fairloop.wire import Decoder, Delivery, to_record


def recording(sampler: Sampler = ALWAYS_ON) -> tuple[Tracing, InMemorySpanExporter]:
    told = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(told))
    return Tracing(provider.get_tracer("test")), told


def traceparent(trace: int) -> str:
    return f"00-{trace:032x}-{7:016x}-01"


def unit(key: str) -> OrgUnit:
    return OrgUnit(version=1, org_unit=key, name=key)


def fetched(event: EventData, carried: str | None) -> Delivery:
    new = to_record(
        source="attribution",
        event_id=uuid7(),
        type=event.type,
        key=event.key,
        payload=msgspec.json.encode(event),
        pseq=1,
        time=datetime.now(UTC),
        traceparent=carried,
    )
    return Decoder({OrgUnit})(
        Record("directory.v1", 3, 5, new.key, new.value, new.headers, datetime.now(UTC))
    )


class Session:
    """As much of one as a batch puts its origin into."""

    def __init__(self) -> None:
        self.info: dict[str, Any] = {}


def origin_in(processing: Processing, event: EventData) -> str | None:
    session: Any = Session()
    processing.begin(session)
    (origin,) = session.info.values()
    carried: str | None = origin(event)
    return carried


def traces(spans: Sequence[ReadableSpan], name: str) -> list[int]:
    return sorted(span.context.trace_id for span in spans if span.name == name)


def test_nothing_is_made_of_a_batch_that_carries_no_trace() -> None:
    tracing, told = recording()
    assert tracing.processing([fetched(unit("a"), None)]) is None
    assert told.get_finished_spans() == ()


def test_one_event_alone_is_one_span_in_its_trace() -> None:
    tracing, told = recording()
    processing = tracing.processing([fetched(unit("a"), traceparent(1))])
    assert processing is not None
    processing.end()
    (span,) = told.get_finished_spans()
    assert (span.name, span.context.trace_id, parent_of(span)) == ("process directory.v1", 1, 7)
    told_of = attributes_of(span)
    assert told_of["fairloop.key"] == "org-unit:a"
    assert told_of["messaging.destination.partition.id"] == "3"
    assert UUID(told_of["messaging.message.id"])


def test_each_event_of_a_batch_stays_in_its_trace_and_the_batch_is_linked_with_them() -> None:
    tracing, told = recording()
    batch = [fetched(unit("a"), traceparent(1)), fetched(unit("b"), None), fetched(unit("c"), traceparent(2))]
    processing = tracing.processing(batch)
    assert processing is not None
    processing.end()
    spans = told.get_finished_spans()
    assert traces(spans, "process directory.v1") == [1, 2]
    (whole,) = [span for span in spans if span.name == "process directory.v1 batch"]
    assert whole.parent is None
    assert attributes_of(whole)["messaging.batch.message_count"] == 3
    assert sorted(link.context.trace_id for link in whole.links) == [1, 2]
    singles = [span for span in spans if span is not whole]
    assert {link.context.span_id for span in singles for link in span.links} == {whole.context.span_id}


def test_what_a_batch_publishes_goes_on_in_the_trace_of_the_event_it_comes_from() -> None:
    tracing, told = recording()
    batch = [fetched(unit("a"), traceparent(1)), fetched(unit("b"), None), fetched(unit("c"), traceparent(2))]
    processing = tracing.processing(batch)
    assert processing is not None
    carried = {key: origin_in(processing, unit(key)) for key in "abcd"}
    processing.end()
    span_of = {attributes_of(span).get("fairloop.key"): span for span in told.get_finished_spans()}
    whole = span_of[None]
    for key, span in (("a", span_of["org-unit:a"]), ("c", span_of["org-unit:c"]), ("d", whole)):
        assert carried[key] == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"
    assert carried["b"] is None, "its own event is not traced"


def test_a_batch_that_halts_says_so() -> None:
    tracing, told = recording()
    processing = tracing.processing([fetched(unit("a"), traceparent(1))])
    assert processing is not None
    processing.end("halted")
    (span,) = told.get_finished_spans()
    assert (span.status.is_ok, span.status.description) == (False, "halted")


def test_the_batch_of_traced_events_is_not_linked_where_it_is_not_recorded_itself() -> None:
    tracing, told = recording(ParentBased(ALWAYS_OFF))
    processing = tracing.processing([fetched(unit("a"), traceparent(1)), fetched(unit("b"), traceparent(2))])
    assert processing is not None
    assert origin_in(processing, unit("unheard")) is None
    processing.end()
    spans = told.get_finished_spans()
    assert traces(spans, "process directory.v1") == [1, 2]
    assert [link for span in spans for link in span.links] == []


def test_a_request_is_in_the_callers_trace_and_current_until_it_is_answered() -> None:
    tracing, told = recording()
    assert current() is None
    with tracing.request("GET", traceparent(5)):
        inside = current()
    assert current() is None
    (span,) = told.get_finished_spans()
    assert inside == f"00-{5:032x}-{span.context.span_id:016x}-01"


def test_what_a_caller_sends_that_is_no_traceparent_begins_a_trace() -> None:
    tracing, told = recording()
    with tracing.request("GET", "00-nonsense"):
        pass
    (span,) = told.get_finished_spans()
    assert span.parent is None


def test_a_request_that_is_not_recorded_carries_nothing_on() -> None:
    tracing, told = recording(ParentBased(ALWAYS_OFF))
    with tracing.request("GET", None):
        assert current() is None
    assert told.get_finished_spans() == ()


def test_a_service_that_traces_nothing_loads_neither_the_sdk_nor_an_exporter() -> None:
    look = (
        "import asyncio, sys, survey_intake.main, fairloop.serve\n"
        "from fairloop.tracing import traced\n"
        "async def main():\n"
        "    async with traced('survey-intake', '') as tracing:\n"
        "        assert tracing is None\n"
        "asyncio.run(main())\n"
        "print(*[name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    done = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
