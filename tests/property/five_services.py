"""The five services with a log in memory between them, run one step at a time by one loop of their own."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import asyncpg
import httpx
import msgspec
from tests.integration.attribution import company
from tests.integration.bonus.office import WAIVED, plan_body
from tests.integration.survey_intake.platform import connect_own
from tests.property import saved_state
from tests.property.memory_log import MemoryLog

from attribution.main import service as attribution
from bonus.main import service as bonus
from closed_loop.main import service as closed_loop
from fairloop.db import sql
from fairloop.embedded import PostgresServer
from fairloop.events import EVENT_TYPES, EventData, topics_of
from fairloop.rebuilding import republish
from fairloop.testing import Box, running
from kpi_aggregator.main import service as kpi_aggregator
from survey_intake.main import service as survey_intake

T = TypeVar("T")

SERVICES = {one.name: one for one in (survey_intake, attribution, kpi_aggregator, closed_loop, bonus)}


class FiveServices:
    """`boxes` by name. What a service publishes goes to `log` after every step; who takes it, and when, is asked."""

    def __init__(self, loop: asyncio.AbstractEventLoop, boxes: dict[str, Box]) -> None:
        self._loop = loop
        self._restore: list[tuple[asyncpg.Connection, str]] = []
        self._first: dict[str, list[EventData]] = {}
        self.boxes = boxes
        self.log = MemoryLog()
        self.inputs = {
            name: [
                topic.name
                for topic in topics_of(set(SERVICES[name].handlers(box.runtime.settings, box.clock)))
            ]
            for name, box in boxes.items()
            if SERVICES[name].handlers(box.runtime.settings, box.clock)
        }
        self.admins = {name: box.http("admin", sub="ada") for name, box in boxes.items()}

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(step)

    async def save(self, stack: AsyncExitStack) -> None:
        """Remember the databases and what was published so far as the beginning of every example."""
        for name, box in self.boxes.items():
            self._first[name] = await _outbox(box)
            connection = await asyncpg.connect(box.db.url)
            stack.push_async_callback(connection.close)
            self._restore.append((connection, await saved_state.save(connection)))

    async def reset(self) -> None:
        """Back to the beginning: the company exists, nobody but attribution has heard of it."""
        for connection, script in self._restore:
            await connection.execute(script)
        self.log = MemoryLog()
        for events in self._first.values():
            self.log.append_new(events)

    async def call(self, service: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask a service as its administrator; what that published is in the log afterwards."""
        answer = await self.admins[service].request(method, path, json=body)
        assert answer.status_code < 500, answer.text
        for concerned in (
            {service, "kpi-aggregator"} if service == "bonus" else {service}
        ):  # bonus asks it to freeze
            self.log.append_new(await _outbox(self.boxes[concerned]))
        return answer

    async def must(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """The same, when it cannot be refused."""
        answer = await self.call(service, method, path, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def deliver(self, service: str, events: Sequence[EventData]) -> list[EventData]:
        """Give a service these events in one batch; answers what that made it publish."""
        box = self.boxes[service]
        await box.deliver(events)
        published = await _outbox(box)
        self.log.append_new(published)
        return published

    async def deliver_everything(self) -> None:
        """Until nobody has anything left to take, one event of each key at a time."""
        while waiting := self.waiting():
            for service in {service for service, _ in waiting}:
                await self.deliver(service, self.take_one_of_each_key(service))

    def take_one_of_each_key(self, service: str) -> list[EventData]:
        """The next event of everything that waits for a service."""
        return [
            self.log.take(service, topic, key)
            for topic in self.inputs[service]
            for key in self.log.waiting(service, topic)
        ]

    def waiting(self) -> list[tuple[str, str]]:
        """The services with something to take, and from which topic."""
        return [
            (service, topic)
            for service, topics in self.inputs.items()
            for topic in topics
            if self.log.waiting(service, topic)
        ]

    async def republish(self, service: str) -> int:
        """The current state of all the service owns, once more: same versions, new event ids."""
        count = await republish(SERVICES[service], self.boxes[service].runtime)
        self.log.append(await _outbox(self.boxes[service]))
        return count


async def _outbox(box: Box) -> list[EventData]:
    """What waits in the outbox, taken out of it, in the order it was put in."""
    async with box.db.begin() as session:
        rows = await sql(session, "DELETE FROM outbox RETURNING seq, type, payload")
    return [msgspec.json.decode(row.payload, type=EVENT_TYPES[row.type]) for row in sorted(rows)]


@contextmanager
def five_services(postgres: PostgresServer) -> Iterator[FiveServices]:
    """All five on this server, set up and saved."""
    loop = asyncio.new_event_loop()
    stack = AsyncExitStack()
    try:
        yield loop.run_until_complete(stack.enter_async_context(_opened(loop, postgres)))
    finally:
        loop.run_until_complete(stack.aclose())
        loop.close()


@asynccontextmanager
async def _opened(loop: asyncio.AbstractEventLoop, postgres: PostgresServer) -> AsyncIterator[FiveServices]:
    boxes: dict[str, Box] = {}

    def peer(name: str) -> httpx.AsyncClient:
        return boxes[name].http("service")

    async with AsyncExitStack() as stack:
        for name, service in SERVICES.items():
            boxes[name] = await stack.enter_async_context(running(service, postgres, peers=peer))
        five = FiveServices(loop, boxes)
        await _set_up(five)
        await five.save(stack)
        yield five


async def _set_up(five: FiveServices) -> None:
    """The windscreen company; a connection for answers; figures shown from one response on; a plan for m1 and m2."""
    await company.set_up(five.boxes["attribution"])
    await connect_own(five.boxes["survey-intake"])
    for service, path, body in (
        ("attribution", "/v1/org-units/south", {"name": "South", "parent": "company"}),
        ("kpi-aggregator", "/v1/kpi-settings/nps", {"min_n": 1}),
        ("bonus", "/v1/plans/quarterly", plan_body()),
    ):
        answer = await five.admins[service].put(path, json=body)
        assert answer.is_success, answer.text
    published = await five.admins["bonus"].post("/v1/plans/quarterly/publish", json=WAIVED)
    assert published.is_success, published.text
