"""A receiver of traces over OTLP/HTTP in threads of its own, and what it was told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Told:
    """One span. `parent` is "" where a trace begins."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]


@dataclass
class Collector:
    """`raw` has the bodies as they came."""

    port: int
    spans: list[Told] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, trace: str) -> list[Told]:
        return [span for span in self.spans if span.trace == trace]

    def take(self, body: bytes) -> None:
        self.raw.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [_told(about["service.name"], span) for span in scope.spans]


def _told(service: str, span: Span) -> Told:
    attributes = {one.key: one.value.string_value for one in span.attributes}
    identity = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    return Told(service, span.name, *identity, attributes)


@contextmanager
def collector() -> Iterator[Collector]:
    """Takes what is posted to /v1/traces, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Standard error is for tests that fail."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        taken = Collector(server.server_address[1])
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield taken
        finally:
            server.shutdown()
            serving.join()
