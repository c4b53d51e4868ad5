"""OpenTelemetry's SDK, set up to send spans to an OTLP receiver."""

import logging

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from fairloop import __version__

_EXPORT_SECONDS = 5.0


def exporting(service: str, otlp_url: str) -> TracerProvider:
    """A provider whose spans go to `<otlp_url>/v1/traces`. The caller shuts it down."""
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)  # not every try again
    about = {"service.namespace": "fairloop", "service.name": service, "service.version": __version__}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{otlp_url.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
