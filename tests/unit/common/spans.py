"""What a finished span says of itself."""

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent_of(span: ReadableSpan) -> int | None:
    """The span id of its parent."""
    return None if span.parent is None else span.parent.span_id


def began(span: ReadableSpan) -> int:
    """Nanoseconds since 1970."""
    assert span.start_time is not None
    return span.start_time
