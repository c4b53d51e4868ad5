"""What other services are asked over REST, outside any transaction, and never kept: figures, names, quotes."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import httpx
import msgspec

from closed_loop.domain.digest import Figure, FigureAsked
from fairloop.errors import Unavailable
from fairloop.peers import PeerClient

_AGGREGATOR = "kpi-aggregator"
_QUOTES_AT_ONCE = 100


class Person(msgspec.Struct):
    """An employee by name."""

    id: str
    name: str
    email: str | None = None


class _Quote(msgspec.Struct):
    response_id: UUID
    quote: str


class _Quotes(msgspec.Struct):
    items: list[_Quote]


class _Answered(msgspec.Struct):
    value: float | None
    ci95: tuple[float, float] | None
    n: int | None
    n_eff: float | None
    weight: str | None
    promoters_weight: str | None
    detractors_weight: str | None
    suppressed: bool
    reason: str


async def figures(peers: PeerClient, wanted: Iterable[FigureAsked]) -> list[Figure]:
    """Today's figures, in the order asked for. Raises Unavailable."""
    async with peers(_AGGREGATOR) as client:
        return [await _figure(client, one) for one in wanted]


async def people(peers: PeerClient, ids: Collection[str]) -> dict[str, Person]:
    """Those of these employees attribution knows. Raises Unavailable."""
    async with peers("attribution") as client:
        found = await asyncio.gather(*(_ask(client, f"/v1/employees/{id}") for id in sorted(set(ids))))
    known = [msgspec.json.decode(one.content, type=Person) for one in found if one.status_code != 404]
    return {person.id: person for person in known}


async def quotes(peers: PeerClient, responses: Iterable[UUID]) -> dict[UUID, str]:
    """Customers' words, of those who allowed to quote them. Raises Unavailable."""
    wanted = sorted(set(responses))
    found: dict[UUID, str] = {}
    async with peers("survey-intake") as client:
        for first in range(0, len(wanted), _QUOTES_AT_ONCE):
            ids = [str(one) for one in wanted[first : first + _QUOTES_AT_ONCE]]
            answer = await _ask(client, "/v1/quotes", {"response_id": ids})
            items = msgspec.json.decode(answer.content, type=_Quotes).items
            found |= {one.response_id: one.quote for one in items}
    return found


async def _figure(client: httpx.AsyncClient, asked: FigureAsked) -> Figure:
    answer = await _ask(
        client,
        f"/v1/kpis/nps/{asked.scope_type}/{asked.scope_id}",
        {"from": asked.start.isoformat(), "to": asked.end.isoformat(), "view": asked.view},
    )
    got = msgspec.json.decode(answer.content, type=_Answered)
    weight = float(got.weight or 0)
    return Figure(
        asked=asked,
        value=got.value,
        low=got.ci95[0] if got.ci95 else None,
        high=got.ci95[1] if got.ci95 else None,
        n=got.n,
        n_eff=got.n_eff,
        promoters=float(got.promoters_weight or 0) / weight if weight else None,
        detractors=float(got.detractors_weight or 0) / weight if weight else None,
        suppressed=got.suppressed,
        reason=got.reason,
    )


async def _ask(
    client: httpx.AsyncClient, path: str, params: Mapping[str, Any] | None = None
) -> httpx.Response:
    """An answer of success, or 404."""
    try:
        answer = await client.get(path, params=params)
    except httpx.HTTPError as error:
        raise Unavailable(f"Another service does not answer: {type(error).__name__}.") from error
    if not answer.is_success and answer.status_code != 404:
        raise Unavailable(f"Another service answered {answer.status_code}.")
    return answer
