"""What others know that an action plan rests on: figures and causes, asked over REST before any transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from closed_loop.domain.action_plan import Goal
from fairloop.errors import Invalid, Unavailable
from fairloop.peers import PeerClient

AGGREGATOR = "kpi-aggregator"
ATTRIBUTION = "attribution"
BEFORE = timedelta(days=90)
"""How long before a plan is made its figure is looked at."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Days:
    """[start, end)."""

    start: date
    end: date


async def background(peers: PeerClient, goal: Goal, made_on: date) -> dict[str, Any]:
    """The linked figure of the time before, and the causes that drive it. Raises Unavailable, or Invalid when there is
    no such figure."""
    days = Days(made_on - BEFORE, made_on)
    async with peers(AGGREGATOR) as client:
        found: dict[str, Any] = {"figure": await _figure(client, goal, days)}
        if goal.scope_type != "cause":
            driven = await _ask(client, f"{_path(goal)}/causes", _params(days))
            found["causes"] = _decode(driven, dict[str, Any])["items"]
    return found


async def figure_of(peers: PeerClient, goal: Goal, days: Days) -> dict[str, Any]:
    """The linked figure of these days."""
    async with peers(AGGREGATOR) as client:
        return await _figure(client, goal, days)


async def known_causes(peers: PeerClient) -> set[str]:
    """Every cause of every taxonomy, of either level."""
    known: set[str] = set()
    cursor: str | None = None
    async with peers(ATTRIBUTION) as client:
        while True:
            params = {"limit": "500"} | ({"cursor": cursor} if cursor else {})
            page = _decode(await _ask(client, "/v1/taxonomies", params), _Taxonomies)
            for taxonomy in page.items:
                for cause in taxonomy.causes:
                    known.update([cause.id, *(child.id for child in cause.children)])
            cursor = page.next
            if cursor is None:
                return known


class _Cause(msgspec.Struct):
    id: str
    children: "list[_Cause]" = []


class _Taxonomy(msgspec.Struct):
    causes: list[_Cause]


class _Taxonomies(msgspec.Struct):
    items: list[_Taxonomy]
    next: str | None = None


async def _figure(client: httpx.AsyncClient, goal: Goal, days: Days) -> dict[str, Any]:
    return _decode(await _ask(client, _path(goal), _params(days)), dict[str, Any])


def _path(goal: Goal) -> str:
    return f"/v1/kpis/{goal.kpi}/{goal.scope_type}/{quote(goal.scope_id, safe='')}"


def _params(days: Days) -> dict[str, str]:
    return {"from": days.start.isoformat(), "to": days.end.isoformat()}


async def _ask(client: httpx.AsyncClient, path: str, params: Mapping[str, str]) -> httpx.Response:
    try:
        answer = await client.get(path, params=params)
    except httpx.HTTPError as error:
        raise Unavailable("The figures behind the plan cannot be asked for now; nothing was kept.") from error
    if answer.status_code in {404, 422}:
        detail = answer.json().get("detail", "There is no such figure.")
        raise Invalid(f"The linked figure was refused: {detail}", pointer="/body/goal")
    if not answer.is_success:
        raise Unavailable(f"{path} answered {answer.status_code}; nothing was kept.")
    return answer


def _decode(answer: httpx.Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=shape)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"Something else was answered than agreed: {error}.") from error
