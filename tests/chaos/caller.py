"""A caller who does not give up: asks again, with the same key, until the answer is known."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from tests.chaos.company import SECRET

from fairloop.standard_webhooks import secret_key, signed_headers

T = TypeVar("T")

AGAIN = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that ask to come back later."""
AT_ONCE = 50
"""Requests under way to one service. Thousands of stories wait out an outage here, not in the client's pool, which
looks at each waiting request whenever a connection is free."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class RefusedError(Exception):
    """An answer that neither says yes nor to come back."""


class Caller:
    """One caller of the five services. Counts what was answered; `unexpected` says which answers should not be."""

    def __init__(self, urls: dict[str, str], token: str) -> None:
        self.answers: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self._clients = {
            service: httpx.AsyncClient(
                base_url=url,
                headers={"Authorization": f"Bearer {token}"},
                timeout=10,
                limits=httpx.Limits(max_connections=None),
            )
            for service, url in urls.items()
        }
        self._turns = {service: asyncio.Semaphore(AT_ONCE) for service in urls}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def get(self, service: str, path: str, **parameters: Any) -> Any:
        """The JSON answer. Raises RefusedError."""
        return (await self.ask(service, "GET", path, params=parameters)).json()

    async def put(self, service: str, path: str, body: Any) -> Any:
        return (await self.ask(service, "PUT", path, json=body)).json()

    async def post(self, service: str, path: str, body: Any, *, key: str) -> Any:
        """With an `Idempotency-Key`, the same at every try."""
        return (await self.ask(service, "POST", path, json=body, headers={"Idempotency-Key": key})).json()

    async def delete(self, service: str, path: str) -> Any:
        return (await self.ask(service, "DELETE", path)).json()

    async def deliver(self, connection: str, message: str, body: bytes) -> Any:
        """A webhook as a survey platform sends it: each try signed anew, under the same id."""

        def signed() -> dict[str, Any]:
            return {"content": body, "headers": signature(message, body)}

        path = f"/v1/webhooks/{connection}"
        return (await self._until_known("survey-intake", "POST", path, signed)).json()

    async def ask(self, service: str, method: str, path: str, **options: Any) -> httpx.Response:
        return await self._until_known(service, method, path, lambda: options)

    async def every(self, service: str, path: str, **parameters: Any) -> list[Any]:
        """All pages of a list."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await self.get(service, path, limit=500, **parameters, **more)
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    async def _until_known(
        self, service: str, method: str, path: str, options: Callable[[], dict[str, Any]]
    ) -> httpx.Response:
        pause = _FIRST_PAUSE
        while True:
            try:
                async with self._turns[service]:
                    answer = await self._clients[service].request(method, path, **options())
            except httpx.TransportError as error:
                self.answers[type(error).__name__] += 1
            else:
                self.answers[str(answer.status_code)] += 1
                if answer.is_success:
                    return answer
                if answer.status_code not in AGAIN:
                    raise self._refused(f"{method} {service}{path}", answer)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _refused(self, what: str, answer: httpx.Response) -> RefusedError:
        said = f"{what}: {answer.status_code} {answer.text[:500]}"
        if answer.status_code != httpx.codes.NOT_FOUND:  # not there yet is no news
            self.unexpected.append(said)
        return RefusedError(said)


async def until(look: Callable[[], Awaitable[T | None]], *, pause: float = 0.2) -> T:
    """Look, ever less often, until there is something to see; what is refused may be there later."""
    while True:
        try:
            found = await look()
        except RefusedError:
            found = None
        if found is not None:
            return found
        await asyncio.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE)


async def side_by_side(jobs: Iterable[Awaitable[T]], *, most: int = 16) -> list[T]:
    """Their results in order, so many at a time."""
    gate = asyncio.Semaphore(most)

    async def run(job: Awaitable[T]) -> T:
        async with gate:
            return await job

    return await asyncio.gather(*map(run, jobs))


def signature(message: str, body: bytes) -> dict[str, str]:
    """The headers of a platform's delivery."""
    signed = signed_headers(secret_key(SECRET), message, body, at=datetime.now(UTC))
    return {"content-type": "application/json"} | signed
