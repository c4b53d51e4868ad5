"""A service around one half of the pipeline, and what /metrics says of it."""

from prometheus_client import REGISTRY
from tests.integration.runtime.counting import metadata

from fairloop.clock import Clock, system_clock
from fairloop.db import Database
from fairloop.peers import peer_client
from fairloop.service import Handlers, Runtime, Service
from fairloop.settings import ServiceSettings
from fairloop.testing import ENVIRONMENT


def value(metric: str, **labels: str) -> float | None:
    """The sample as a scrape would read it."""
    return REGISTRY.get_sample_value(metric, labels)


def half(name: str, db: Database, handlers: Handlers, clock: Clock = system_clock) -> tuple[Service, Runtime]:
    service = Service(
        name=name,
        package="attribution",
        settings=ServiceSettings,
        metadata=metadata,
        routes=[],
        handlers=lambda settings, clock: handlers,
    )
    settings = ServiceSettings.model_validate(ENVIRONMENT)
    return service, Runtime(settings=settings, db=db, peers=peer_client(settings), clock=clock)
