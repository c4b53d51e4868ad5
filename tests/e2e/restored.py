"""An installation that is worked with while its databases are restored, and what must be true of it in the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from tests.e2e.installation import Installation
from tests.e2e.traffic import Delivery, Fold, directory, interactions, send_all
from tests.integration.repair.dumps import newest, without_origin

from attribution.service.republish import republish as attribution_states
from bonus.service.runs import republish as bonus_states
from closed_loop.service.cases import republish as closed_loop_states
from fairloop.auth import Role
from fairloop.cli.installation import Installation as Home
from fairloop.cli.installation import service_named
from fairloop.cli.reach import wiring_of
from fairloop.db import Database, sql
from fairloop.events import TOPICS, EventData
from fairloop.log import open_log
from fairloop.log.port import TopicPartition
from fairloop.peers import peer_client
from fairloop.published import Published
from fairloop.repair.own_events import pages_of
from fairloop.service import Runtime
from fairloop.services import SERVICES
from fairloop.trust import trusted
from kpi_aggregator.main import republish as kpi_aggregator_states
from survey_intake.service.republishing import republish as survey_intake_states
from survey_intake.settings import IntakeSettings

STATES: Mapping[str, Callable[[Runtime, AsyncSession], AsyncIterator[EventData]]] = {
    "survey-intake": survey_intake_states,
    "attribution": attribution_states,
    "kpi-aggregator": kpi_aggregator_states,
    "closed-loop": closed_loop_states,
    "bonus": bonus_states,
}
CURVE = {"threshold": "-100", "target": "0", "excellence": "100", "cap": "1.5"}
PLAN: dict[str, Any] = {
    "name": "Everybody's",
    "mode": "paid",
    "currency": "EUR",
    "scheme": "overachievement",
    "components": [
        {"id": "all", "kpi": "nps", "scope": "organisation", "view": "all", "weight": "1", "curve": CURVE}
    ],
    "payees": [{"employee": "mechanic-0", "target_bonus_minor": 100_000}],
}
WAIVED: dict[str, Any] = {
    "waivers": [
        {"code": code, "reason": "one day of a company in a test"}
        for code in ("too_few_responses", "target_not_positive")
    ]
}
DIRECTORY = {
    "kpi-aggregator": {"org_unit": "org_unit", "employee": "employee", "assignment": "assignment"},
    "closed-loop": {"org_unit": "id", "employee": "id", "assignment": "id"},
    "bonus": {"org_unit": "org_unit", "employee": "employee", "assignment": "assignment"},
}
"""Service → its table of each kind of directory entry → the column with the id."""


class World:
    """The installation, and what everybody was told with a 2xx."""

    def __init__(self, installation: Installation) -> None:
        self.move_to(installation)
        self.fold = Fold()
        self.ids: dict[int, str] = {}
        self.sent = 0
        self.periods = 0
        self.erased = 0
        self.detractors: set[str] = set()
        self._databases: dict[str, Database] = {}

    def move_to(self, installation: Installation) -> None:
        """It goes on there."""
        self.installation = installation
        self.wiring = wiring_of(Home.of(installation.environment))

    async def ask(
        self, service: str, method: str, path: str, *, as_role: Role = Role.ADMIN, **body: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.wiring.token(as_role.value, as_role)}"}
        url = self.installation.url(service)
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, verify=trusted()) as client:
            answer = await client.request(method, path, json=body or None)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def send(self, deliveries: Iterable[Delivery]) -> None:
        everything = list(deliveries)
        url = self.installation.url("survey-intake")
        self.ids |= await send_all(url, everything, per_second=200, seconds=120)
        for delivery in everything:
            self.fold.take(delivery)
            if delivery.score <= 6:
                self.detractors.add(self.ids[delivery.number])

    def fresh(self, count: int) -> list[Delivery]:
        """Answers nobody has sent yet."""
        first, self.sent = self.sent, self.sent + count
        causes = ("quality", "right_window", "speed")
        return [Delivery(n, (3 * n) % 11, causes[n % 3], 0) for n in range(first, self.sent)]

    def revised(self, numbers: Iterable[int]) -> list[Delivery]:
        held = [self.fold.newest[number] for number in numbers]
        return [Delivery(d.number, (d.score + 5) % 11, d.cause, d.revision + 1) for d in held]

    async def erase(self, number: int) -> None:
        await self.ask("survey-intake", "DELETE", f"/v1/customers/customer-{number}")
        del self.fold.newest[number]
        self.erased += 1

    async def dispute(self, number: int) -> None:
        """Upheld, and without effect on a figure: nobody has a share in this cause."""
        delivery = self.fold.newest[number]
        assert delivery.cause == "right_window"
        claim: dict[str, Any] = {
            "employee": f"mechanic-{number % 10}",
            "kind": "not_my_cause",
            "reason": "no window",
        }
        filed = await self.ask("attribution", "POST", "/v1/disputes", response_id=self.ids[number], **claim)
        path = f"/v1/disputes/{filed['id']}/decide"
        await self.ask("attribution", "POST", path, uphold=True, reason="seen")

    async def acknowledge_a_case(self) -> None:
        cases = await self.ask("closed-loop", "GET", "/v1/cases?status=assigned&limit=1")
        await self.ask("closed-loop", "POST", f"/v1/cases/{cases['items'][0]['id']}/acknowledge")

    async def pay_a_bonus(self) -> Any:
        """A period calculated, approved and paid; its only statement."""
        self.periods += 1
        period = f"period-{self.periods}"
        today = datetime.now(UTC).date()
        days: dict[str, Any] = {"from": str(today - timedelta(days=40)), "to": str(today + timedelta(days=1))}
        await self.ask("bonus", "PUT", f"/v1/periods/{period}", plan="everybody", **days)
        run = await self.ask("bonus", "POST", f"/v1/periods/{period}/calculate", as_role=Role.FINANCE)
        await self.ask("bonus", "POST", f"/v1/runs/{run['id']}/approve")
        await self.ask("bonus", "POST", f"/v1/runs/{run['id']}/paid")
        return await self.statement(period)

    async def statement(self, period: str) -> Any:
        return await self.ask("bonus", "GET", f"/v1/periods/{period}/statements/mechanic-0")

    @asynccontextmanager
    async def session(self, service: str) -> AsyncIterator[AsyncSession]:
        if service not in self._databases:
            url = self.wiring.database_url(service_named(service))
            self._databases[service] = Database(url, pool_size=2)
        async with self._databases[service].begin() as session:
            yield session

    async def close(self) -> None:
        """Forget the connections: what they know of a database is not true of a restored one."""
        while self._databases:
            _, db = self._databases.popitem()
            await db.close()

    async def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        async with self.session(service) as session:
            return [tuple(row) for row in await sql(session, query)]

    async def lose_the_log(self) -> None:
        """As if it had been made anew: its topics are there and hold nothing."""
        db = Database(self.wiring.log_url, pool_size=1)
        try:
            async with db.begin() as session:
                await sql(session, "UPDATE fairloop_log.head SET next_offset = 0, first_offset = 0")
                await sql(session, "DELETE FROM fairloop_log.record")
        finally:
            await db.close()

    async def states(self, service: str) -> dict[str, EventData]:
        """What a service says of everything it owns."""
        async with self.session(service) as session:
            told = STATES[service](self._runtime(service), session)
            return {event.key: without_origin(event) async for event in told}

    def _runtime(self, service: str) -> Runtime:
        """With the settings of survey-intake, the only service that looks at them to say what it owns."""
        vault = self.wiring.vault
        settings = IntakeSettings.model_validate(
            {
                "database_url": self.wiring.database_url(service_named(service)),
                "log_url": self.wiring.log_url,
                "token_public_key": vault.token_public_key,
                "pseudonym_key": vault.pseudonym_key,
                "master_key": vault.master_key,
            }
        )
        return Runtime(settings=settings, db=self._databases[service], peers=peer_client(settings))

    async def said(self, service: str) -> dict[str, EventData]:
        """The newest version of everything on the log; of two under one version the one that came first."""
        told: list[Published] = []
        async with open_log(self.wiring.log_url) as event_log:
            for topic in TOPICS.values():
                for part in range(topic.partitions if topic.producer == service else 0):
                    async for page in pages_of(event_log, TopicPartition(topic.name, part)):
                        told += page.events
        return newest(told)


async def founded(world: World) -> None:
    """The organisation with the jobs of its first answers, and a plan that is in force."""
    for service, path, body in directory():
        await world.ask(service, "PUT", path, **body)
    await world.ask("kpi-aggregator", "PUT", "/v1/kpi-settings/nps", min_n=1)
    await world.ask("attribution", "POST", "/v1/interactions", interactions=next(iter(interactions())))
    await world.ask("bonus", "PUT", "/v1/plans/everybody", **PLAN)
    await world.ask("bonus", "POST", "/v1/plans/everybody/publish", **WAIVED)


async def until_settled(world: World) -> None:
    """Everything that was accepted has reached everybody."""
    await until(lambda: unsent(world))
    await until(lambda: behind(world))
    await until(lambda: wrong_figures(world))


async def until_exact(world: World) -> None:
    """Everybody says what the log says, holds what it was told, and the figures are the fold of what was answered."""
    await until(lambda: unready(world))
    await until_settled(world)
    for service in SERVICES:
        await until(partial(unlike_the_log, world, service))
    report = await world.ask("kpi-aggregator", "POST", "/v1/recompute")
    assert report["equal"], report
    assert report["responses"] == len(world.fold.newest)
    cases = [str(row[0]) for row in await world.rows("closed-loop", "SELECT response_id FROM customer_case")]
    assert sorted(cases) == sorted(world.detractors)
    erased = "SELECT count(*), count(wrapped_key) FROM customer WHERE erased_at IS NOT NULL"
    assert await world.rows("survey-intake", erased) == [(world.erased, 0)]


async def until(what: Callable[[], Awaitable[object]], seconds: float = 180) -> None:
    """Until nothing is left of what is wrong; what it was is shown when that does not come."""
    left: object = None
    try:
        async with asyncio.timeout(seconds):
            while left := await what():
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"still: {left}")


async def unready(world: World) -> dict[str, Any]:
    found = {}
    async with httpx.AsyncClient(timeout=10, verify=trusted()) as client:
        for service in SERVICES:
            try:
                body = (await client.get(f"{world.installation.url(service)}/readyz")).json()
            except httpx.TransportError as error:
                body = {"status": repr(error)}
            if body["status"] != "ready":
                found[service] = body
    return found


async def unsent(world: World) -> dict[str, int]:
    counts = {s: (await world.rows(s, "SELECT count(*) FROM outbox"))[0][0] for s in SERVICES}
    return {service: count for service, count in counts.items() if count}


async def unlike_the_log(world: World, service: str) -> list[tuple[str, EventData | None, EventData | None]]:
    states, said = await world.states(service), await world.said(service)
    return [
        (key, states.get(key), said.get(key))
        for key in states.keys() | said.keys()
        if states.get(key) != said.get(key)
    ][:3]


async def behind(world: World) -> list[str]:
    """Who holds another version of something than its owner."""
    answers = "SELECT {0}, version FROM {1} ORDER BY 1"
    responses = await world.rows("survey-intake", answers.format("id", "response"))
    results = await world.rows("attribution", "SELECT response_id, result_version FROM response ORDER BY 1")
    pairs = {
        "attribution": (
            responses,
            await world.rows("attribution", answers.format("response_id", "response")),
        ),
        "kpi-aggregator": (
            results,
            await world.rows("kpi-aggregator", answers.format("response_id", "contribution")),
        ),
        "closed-loop": (
            results,
            await world.rows("closed-loop", answers.format("response_id", "response_seen")),
        ),
    }
    for service, tables in DIRECTORY.items():
        for table, column in tables.items():
            owned = await world.rows("attribution", answers.format("id", table))
            held = await world.rows(service, answers.format(column, table))
            pairs[f"{service} {table}"] = owned, held
    return [name for name, (owned, held) in pairs.items() if owned != held]


async def wrong_figures(world: World) -> list[object]:
    wrong: list[object] = []
    headers = {"Authorization": f"Bearer {world.wiring.token('admin', Role.ADMIN)}"}
    url = world.installation.url("kpi-aggregator")
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, verify=trusted()) as client:
        for (scope, id, view), counts in world.fold.counts().items():
            asked = await client.get(f"/v1/kpis/nps/{scope}/{id}", params={"view": view, "window": "60d"})
            figure = asked.json()
            found = tuple(figure.get(name) for name in ("n", "promoters", "passives", "detractors"))
            if found != counts:
                wrong.append((scope, id, view, found, counts))
    return wrong
