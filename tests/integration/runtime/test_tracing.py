"""A trace goes with its event through outbox, relay, log and consumer, on both logs."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.integration.runtime.conftest import Pipeline, until
from tests.integration.runtime.test_effectively_once import unit
from tests.unit.common.spans import attributes_of, began, parent_of

from fairloop.tracing import Tracing


def named(spans: Sequence[ReadableSpan], name: str) -> dict[str, ReadableSpan]:
    """By key; what is of no single event, by ""."""
    return {str(attributes_of(span).get("fairloop.key", "")): span for span in spans if span.name == name}


async def test_events_of_two_requests_stay_in_their_traces_though_one_batch_takes_them(
    pipeline: Pipeline,
) -> None:
    told = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(told))
    pipeline.tracing = Tracing(provider.get_tracer("test"))
    for name in ("a", "b"):
        with pipeline.tracing.request("POST", None):
            await pipeline.publish(unit(name))
    await pipeline.publish(unit("c"))

    async def carried() -> bool:
        return bool(await pipeline.scalar(pipeline.producer_db, "SELECT count(*) = 0 FROM outbox"))

    async with pipeline.relaying():
        await until(carried)
    async with pipeline.consuming():
        await pipeline.wait_applied(3)

    spans = told.get_finished_spans()
    requests = [span for span in spans if span.name == "POST"]
    sends, processes = named(spans, "send directory.v1"), named(spans, "process directory.v1")
    keys = ["org-unit:a", "org-unit:b"]
    assert sorted(sends) == sorted(processes) == keys
    for request, key in zip(requests, keys, strict=True):
        assert sends[key].context.trace_id == processes[key].context.trace_id == request.context.trace_id
        assert parent_of(sends[key]) == request.context.span_id
        assert parent_of(processes[key]) == sends[key].context.span_id
        assert began(sends[key]) <= began(processes[key])
    whole = named(spans, "process directory.v1 batch")[""]
    assert {link.context.span_id for link in whole.links} == {sends[key].context.span_id for key in keys}
    assert attributes_of(whole)["messaging.batch.message_count"] == 3
