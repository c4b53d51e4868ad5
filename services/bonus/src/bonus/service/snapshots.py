"""Frozen facts: asked of kpi-aggregator over REST, outside any transaction, and compared with what was announced."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import httpx
import msgspec
from msgspec import UNSET
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.plan import Component, Plan
from bonus.domain.segments import Segments
from bonus.domain.snapshot import Contribution, Corrections, Figure, FigureKey, Invited, Snapshot
from bonus.domain.tenure import Days
from bonus.service.directory import newest
from bonus.tables import AnnouncedSnapshot
from fairloop.db import sql
from fairloop.errors import Conflict, Unavailable
from fairloop.events import KpiSnapshot
from fairloop.peers import PeerClient

AGGREGATOR = "kpi-aggregator"
T = TypeVar("T")


async def freeze(peers: PeerClient, period: Days, plan: Plan) -> dict[str, Snapshot]:
    """A new snapshot for each KPI of the plan, with the figures of its segments.

    Raises Unavailable, or Conflict when the aggregator refuses.
    """
    days = {"from": period.start.isoformat(), "to": period.end.isoformat()}
    frozen = {}
    async with peers(AGGREGATOR) as client:
        for kpi in plan.kpis:
            made = await _ask(client, "POST", "/v1/snapshots", json={"period": days, "kpi": kpi})
            id = _decode(made, dict[str, object])["id"]
            frozen[kpi] = await _whole(client, f"{id}", plan.components)
    return frozen


async def fetch(
    peers: PeerClient, ids: Mapping[str, str], components: Sequence[Component]
) -> dict[str, Snapshot]:
    """KPI → snapshot, for KPI → id, with the figures of the components' segments.

    Raises Unavailable, or Conflict when the aggregator does not have one.
    """
    async with peers(AGGREGATOR) as client:
        return {kpi: await _whole(client, id, components) for kpi, id in ids.items()}


async def corrections(peers: PeerClient, snapshots: Mapping[str, str], plan: Plan) -> list[Corrections]:
    """What these snapshots (KPI → id) would be today, with the figures of the plan's segments."""
    found = []
    async with peers(AGGREGATOR) as client:
        for kpi, id in snapshots.items():
            path = f"/v1/snapshots/{id}/corrections"
            whole = _decode(await _ask(client, "GET", path), Corrections)
            narrowed = await _narrowed(client, path, _segmented(plan.components, kpi))
            found.append(msgspec.structs.replace(whole, figures=(*whole.figures, *narrowed)))
    return found


async def _whole(client: httpx.AsyncClient, id: str, components: Sequence[Component]) -> Snapshot:
    snapshot = _decode(await _ask(client, "GET", f"/v1/snapshots/{id}"), Snapshot)
    narrowed = await _narrowed(client, f"/v1/snapshots/{id}/figures", _segmented(components, snapshot.kpi))
    return msgspec.structs.replace(snapshot, figures=(*snapshot.figures, *narrowed))


def _segmented(components: Sequence[Component], kpi: str) -> dict[str, Segments]:
    """Measure → segments, of the components that do not count every response."""
    return {c.measure: c.segments for c in components if c.kpi == kpi and c.segments is not UNSET}


async def _narrowed(client: httpx.AsyncClient, path: str, segmented: Mapping[str, Segments]) -> list[Figure]:
    """The frozen responses of these segments, folded again, under the name of the measure."""
    found = []
    for measure, segments in sorted(segmented.items()):
        asked = {"segment": segments.required, "without": segments.excluded}
        figures = _decode(await _ask(client, "GET", path, params=asked), _Figures).figures
        found += [msgspec.structs.replace(figure, kpi=measure) for figure in figures]
    return found


class _Figures(msgspec.Struct):
    figures: tuple[Figure, ...]


async def current_figures(peers: PeerClient, period: Days, keys: Collection[FigureKey]) -> list[Figure]:
    """Today's figures of a period that may still be running."""
    days = {"from": period.start.isoformat(), "to": period.end.isoformat()}
    async with peers(AGGREGATOR) as client:
        return [
            _decode(
                await _ask(client, "GET", f"/v1/kpis/{kpi}/{scope}/{id}", params={**days, "view": view}),
                Figure,
            )
            for kpi, scope, id, view in sorted(keys)
        ]


async def current_coverage(peers: PeerClient, period: Days, employee: str) -> dict[str, Invited]:
    """How many of this person's customers could be asked in a period, and were, as of now."""
    days = {"from": period.start.isoformat(), "to": period.end.isoformat()}
    async with peers(AGGREGATOR) as client:
        asked = await _ask(client, "GET", f"/v1/coverage/employee/{employee}", params=days)
        return {employee: _decode(asked, Invited)}


class _Answers(msgspec.Struct):
    items: list[Contribution]


async def current_answers(
    peers: PeerClient, period: Days, employee: str, kpis: Collection[str]
) -> dict[str, list[Contribution]]:
    """KPI → the responses of a period that name this person, as they are now."""
    days = {"from": period.start.isoformat(), "to": period.end.isoformat()}
    async with peers(AGGREGATOR) as client:
        return {
            kpi: _decode(
                await _ask(client, "GET", f"/v1/kpis/{kpi}/employee/{employee}/answers", params=days),
                _Answers,
            ).items
            for kpi in sorted(kpis)
        }


async def store_announcements(session: AsyncSession, events: Sequence[KpiSnapshot]) -> None:
    announced = newest(events)
    await sql(
        session,
        "INSERT INTO announced_snapshot AS held (id, version, content_hash)"
        " SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[]) ON CONFLICT (id) DO UPDATE"
        " SET version = excluded.version, content_hash = excluded.content_hash"
        " WHERE held.version < excluded.version",
        [one.snapshot_id for one in announced],
        [one.version for one in announced],
        [one.content_hash for one in announced],
    )


async def announced_hashes(session: AsyncSession, ids: Iterable[str]) -> Mapping[str, str]:
    """Snapshot → announced content hash, for those that were announced already."""
    wanted = [UUID(id) for id in ids]
    rows = await session.execute(
        select(AnnouncedSnapshot.id, AnnouncedSnapshot.content_hash).where(AnnouncedSnapshot.id.in_(wanted))
    )
    return {str(id): digest for id, digest in rows}


async def _ask(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    json: object = None,
    params: Mapping[str, str | list[str]] | None = None,
) -> httpx.Response:
    try:
        response = await client.request(method, path, json=json, params=params)
    except httpx.HTTPError as error:
        raise Unavailable(f"{AGGREGATOR} does not answer; nothing was calculated.") from error
    if response.status_code >= 500 or response.status_code in {401, 403, 429}:
        raise Unavailable(f"{AGGREGATOR} answered {response.status_code}; nothing was calculated.")
    if not response.is_success:
        raise Conflict(f"{AGGREGATOR} refused with {response.status_code}: {response.text[:300]}")
    return response


def _decode(response: httpx.Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=shape)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"{AGGREGATOR} answered something else than agreed: {error}.") from error
