"""What a service is made of, told once in its main.py; and the resources it runs with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.clock import Clock, system_clock
from fairloop.db import Database
from fairloop.events import EventData
from fairloop.peers import PeerClient
from fairloop.published import Published
from fairloop.retention import Retention
from fairloop.settings import ServiceSettings
from fairloop.tracing import Tracing
from fairloop.web.routes import Routes

Handler = Callable[[AsyncSession, Sequence[Any]], Awaitable[None]]
"""Applies a batch of one event type, in log order per key, inside the transaction that also moves the position."""

Handlers = Mapping[type[EventData], Handler]


def no_handlers(settings: Any, clock: Clock) -> Handlers:
    """For a service that consumes nothing."""
    return {}


@dataclass(kw_only=True)
class Runtime:
    """The resources of one running service. Opened by the process, passed in, closed at the end."""

    settings: Any
    db: Database
    peers: PeerClient
    clock: Clock = system_clock
    tracing: Tracing | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


Background = Callable[[Runtime], Coroutine[Any, Any, None]]
"""A loop of the worker; returns when `runtime.stopping` is set."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many aggregates were changed by what the log told, and in words what it could not tell."""

    changed: int
    lost: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a service whose database was restored takes over what the log knows better (`fairloop.repair`).

    `take` gets the service's own events in log order, all of them at every repair. An aggregate that the database
    has in the same version and content stays as it is; one it has forgotten becomes what the log says; one that
    was changed since the restore keeps the change, gets a version above the log's and is published again.
    `finish` does what needs all of that, and says what the log cannot give back.
    """

    take: Callable[[Runtime, AsyncSession, Sequence[Published]], Awaitable[Taken]]
    finish: Callable[[Runtime], Awaitable[Sequence[str]]]


async def nothing_to_finish(runtime: Runtime) -> Sequence[str]:
    """For a service whose aggregates are complete once they are taken over."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service.

    `resource` opens what its API keeps between requests (say, a group commit); a request finds it as
    `request.app.state.resource`. `gauges` measures what only this service has, every few seconds; `retention` is what
    of its own tables is not kept for good.
    """

    name: str
    package: str
    settings: type[ServiceSettings]
    metadata: MetaData
    routes: Sequence[Routes]
    handlers: Callable[[Any, Clock], Handlers] = no_handlers
    background: Sequence[Background] = ()
    recovery: Recovery | None = None
    republish: Callable[[Runtime, AsyncSession], AsyncIterator[EventData]] | None = None
    recompute: Callable[[AsyncSession], Awaitable[Mapping[str, Any]]] | None = None
    resource: Callable[[Runtime], AbstractAsyncContextManager[Any]] | None = None
    gauges: Callable[[AsyncSession, Runtime], Awaitable[None]] | None = None
    retention: Sequence[Retention] = ()


def load_service(package: str) -> Service:
    """The Service that a package's main.py describes."""
    service = import_module(f"{package}.main").service
    assert isinstance(service, Service)
    return service
