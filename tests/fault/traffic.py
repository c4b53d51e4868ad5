"""What is sent: new sales and newer versions of old ones, each request repeated until it is answered 2xx."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from fairloop.auth import Role, mint_token
from fairloop.testing import PRIVATE_KEY
from fairloop.trust import trusted

SHOPS = ("north", "south", "east")


@dataclass(frozen=True)
class Folded:
    """What must come out, in plain Python: each sale's newest state, each shop's (count, total)."""

    held: dict[str, tuple[int, str, int]]
    shops: dict[str, tuple[int, int]]


@dataclass
class Traffic:
    """Reproducible by its seed. `sent` is everything that was answered 2xx, in order."""

    seed: int = 1
    pool: int = 60  # of sales that versions are made of
    sent: list[dict[str, Any]] = field(default_factory=list)
    repeats: int = 0  # requests that had to be sent more than once

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._versions: Counter[str] = Counter()

    def make(self, count: int) -> list[dict[str, Any]]:
        sales = []
        for _ in range(count):
            sale = f"s{self._random.randrange(self.pool)}"
            self._versions[sale] += 1
            sales.append(
                {
                    "sale": sale,
                    "version": self._versions[sale],
                    "shop": self._random.choice(SHOPS),
                    "amount": self._random.randrange(1, 10_000),
                }
            )
        return sales

    async def send(self, url: str, count: int = 1, *, sales: Sequence[dict[str, Any]] | None = None) -> None:
        """Post some sales as one request; asks again until the answer is 2xx, as a customer's system does."""
        asked = list(sales if sales is not None else self.make(count))
        async with self._client(url) as client:
            await self._post(client, asked)

    @asynccontextmanager
    async def flowing(self, url: str, *, size: int = 5, pause: float = 0.02) -> AsyncIterator[None]:
        """Requests one after the other while the block runs; the last one is answered when it ends."""
        ending = asyncio.Event()

        async def flow() -> None:
            async with self._client(url) as client:
                while not ending.is_set():
                    await self._post(client, self.make(size))
                    await asyncio.sleep(pause)

        async with asyncio.TaskGroup() as group:
            group.create_task(flow())
            try:
                yield
            finally:
                ending.set()

    def fold(self) -> Folded:
        held: dict[str, tuple[int, str, int]] = {}
        for sale in self.sent:
            if sale["version"] > held.get(sale["sale"], (0, "", 0))[0]:
                held[sale["sale"]] = (sale["version"], sale["shop"], sale["amount"])
        shops = {
            shop: (
                sum(1 for _, at, _ in held.values() if at == shop),
                sum(amount for _, at, amount in held.values() if at == shop),
            )
            for shop in {shop for _, shop, _ in held.values()}
        }
        return Folded(held, shops)

    def _client(self, url: str) -> httpx.AsyncClient:
        token = mint_token(PRIVATE_KEY, sub="traffic", role_names=[Role.ADMIN])
        return httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10, verify=trusted()
        )

    async def _post(self, client: httpx.AsyncClient, sales: list[dict[str, Any]]) -> None:
        async with asyncio.timeout(120):
            for again in range(10_000):
                try:
                    answer = await client.post("/v1/sales", json={"sales": sales})
                except httpx.TransportError:
                    pass
                else:
                    if answer.is_success:
                        self.repeats += again > 0
                        self.sent += sales
                        return
                    assert answer.status_code in {500, 503}, answer.text
                await asyncio.sleep(0.05)
