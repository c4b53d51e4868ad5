"""Answers and their revisions, to whichever instances there are, until told to stop."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from tests.e2e.restored import World
from tests.e2e.traffic import RESPONSES, Delivery
from tests.upgrade.fleet import Fleet

PER_SECOND = 12
REVISED = 0.4
PATIENCE = 60.0


class Traffic:
    """What every answer that was taken must come to is in `world.fold`. `again`: how often one had to be repeated."""

    def __init__(self, fleet: Fleet, world: World) -> None:
        self.fleet = fleet
        self.world = world
        self.accepted = 0
        self.again = 0
        self._chance = random.Random(1)
        self._client = httpx.AsyncClient(timeout=10)

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """While the block runs; then what is under way is finished."""
        ending = asyncio.Event()
        async with self._client, asyncio.TaskGroup() as group:
            group.create_task(self._flow(group, ending))
            try:
                yield
            finally:
                ending.set()

    async def _flow(self, group: asyncio.TaskGroup, ending: asyncio.Event) -> None:
        """Of one answer only one revision is on its way."""
        while not ending.is_set():
            held = list(self.world.fold.newest)
            if held and (self.world.sent == RESPONSES or self._chance.random() < REVISED):
                [revised] = self.world.revised([self._chance.choice(held)])
                await self._send(revised)
            else:
                [fresh] = self.world.fresh(1)
                group.create_task(self._send(fresh))
            await asyncio.sleep(1 / PER_SECOND)

    async def _send(self, delivery: Delivery) -> None:
        async with asyncio.timeout(PATIENCE):
            while (answer := await self._try(delivery)) is None:
                self.again += 1
                await asyncio.sleep(0.1)
        world = self.world
        world.ids[delivery.number] = answer.json()["response_id"]
        world.fold.take(delivery)
        if delivery.score <= 6:
            world.detractors.add(world.ids[delivery.number])
        self.accepted += 1

    async def _try(self, delivery: Delivery) -> httpx.Response | None:
        """None when it has to be sent again. Any other answer than "taken" or "later" is wrong."""
        url = self._chance.choice(self.fleet.instances["survey-intake"]).url
        try:
            answer = await self._client.post(
                f"{url}/v1/webhooks/e2e", content=delivery.body(), headers=delivery.headers()
            )
        except httpx.TransportError:
            return None
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return None
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return answer
