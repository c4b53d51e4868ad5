"""For tests of a service on a real database: a fresh one per test, the app without a network, a clock to move."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import asyncpg
import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI

from fairloop.auth import Role, mint_token
from fairloop.clock import Clock
from fairloop.db import Database, sql
from fairloop.dispatch import dispatch
from fairloop.embedded import PostgresServer, temporary_postgres
from fairloop.events import EventData
from fairloop.ids import uuid7
from fairloop.migrate import upgrade
from fairloop.peers import PeerClient, peer_client
from fairloop.service import Runtime, Service
from fairloop.web.app import create_app
from fairloop.web.health import Health

__all__ = ["Box", "ManualClock", "running", "temporary_database", "temporary_postgres"]

E = TypeVar("E", bound=EventData)

_KEY = Ed25519PrivateKey.generate()
PRIVATE_KEY = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC_KEY = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ENVIRONMENT = {
    "database_url": "postgresql://unused",
    "log_url": "postgresql://unused",
    "pseudonym_key": "a test's pseudonym key",
    "master_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "token_public_key": PUBLIC_KEY,
}


class ManualClock:
    """A clock that moves when told."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


async def _admin(postgres: PostgresServer, statement: str) -> None:
    connection = await asyncpg.connect(postgres.admin_url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def temporary_database(
    postgres: PostgresServer, *, template: str = "template1"
) -> AsyncIterator[Database]:
    """A database of its own, dropped at the end."""
    name = f"t{uuid7().hex}"
    await _admin(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    db = Database(postgres.admin_url(name), pool_size=30)
    try:
        yield db
    finally:
        await db.close()
        await _admin(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


_templates: dict[tuple[str, str], str] = {}


async def _template(service: Service, postgres: PostgresServer) -> str:
    """A migrated database of this service to copy: made once a server."""
    known = _templates.get((postgres.admin_url(), service.name))
    if known is not None:
        return known
    name = f"template_{service.package}_{uuid7().hex[-8:]}"
    await _admin(postgres, f'CREATE DATABASE "{name}"')
    db = Database(postgres.admin_url(name))
    await upgrade(service, db)
    await db.close()
    _templates[(postgres.admin_url(), service.name)] = name
    return name


class Box:
    """One running service."""

    def __init__(self, service: Service, runtime: Runtime, app: FastAPI, clock: ManualClock) -> None:
        self.service = service
        self.runtime = runtime
        self.app = app
        self.clock = clock
        self.db: Database = runtime.db
        self._handlers = service.handlers(runtime.settings, clock)
        self._clients: list[httpx.AsyncClient] = []

    def http(
        self,
        *role_names: str,
        sub: str | None = None,
        employee_id: str | None = None,
        org_units: Sequence[str] = (),
    ) -> httpx.AsyncClient:
        """A client with a token of these roles; without a role, without a token."""
        headers = {}
        if role_names:
            token = mint_token(
                PRIVATE_KEY,
                sub=sub or employee_id or role_names[0],
                role_names=[Role(name) for name in role_names],
                employee_id=employee_id,
                org_units=org_units,
            )
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)
        self._clients.append(client)
        return client

    async def deliver(self, events: Sequence[EventData]) -> None:
        """Apply events as the worker does: in one transaction, through the handlers."""
        async with self.db.begin() as session:
            await dispatch(session, self._handlers, events)

    async def published(self, event_type: type[E]) -> list[E]:
        """The events of one type in the outbox, in their order."""
        async with self.db.begin() as session:
            rows = await sql(
                session, "SELECT payload FROM outbox WHERE type = $1 ORDER BY seq", event_type.type
            )
        return [msgspec.json.decode(row[0], type=event_type) for row in rows]

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def running(
    service: Service,
    postgres: PostgresServer,
    *,
    clock: ManualClock | None = None,
    env: Mapping[str, object] | None = None,
    peers: PeerClient | None = None,
) -> AsyncIterator[Box]:
    """A service on a fresh, migrated database. `env` are settings by name; `peers` stand in for other services."""
    used_clock = clock or ManualClock()
    settings = service.settings.model_validate({**ENVIRONMENT, **(env or {})})
    async with AsyncExitStack() as stack:
        template = await _template(service, postgres)
        db = await stack.enter_async_context(temporary_database(postgres, template=template))
        typed_clock: Clock = used_clock
        runtime = Runtime(settings=settings, db=db, peers=peers or peer_client(settings), clock=typed_clock)
        app = create_app(service, runtime, Health())
        await stack.enter_async_context(app.router.lifespan_context(app))
        box = Box(service, runtime, app, used_clock)
        stack.push_async_callback(box.close)
        yield box
