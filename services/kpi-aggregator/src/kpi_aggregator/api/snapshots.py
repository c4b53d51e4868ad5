"""Frozen figures."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Query, Response
from pydantic import Field

from fairloop.auth import Role, roles
from fairloop.errors import Invalid
from fairloop.web import Answer, Body, Now, Routes, Session
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.domain.period import PeriodError, between
from kpi_aggregator.domain.segments import Narrowing
from kpi_aggregator.service.snapshots import (
    corrections,
    coverage_of,
    freeze,
    frozen_bodies,
    load_snapshot,
    narrowed_figures,
)
from kpi_aggregator.tables import Snapshot

routes = Routes(tag="snapshots")

Segments = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[^:]{1,128}:.{1,256}$")], ...],
    Query(max_length=100, description="name:value; several values of one name are alternatives"),
]

READERS = roles(Role.ADMIN, Role.ANALYST, Role.FINANCE, Role.SERVICE)


class PeriodModel(Body):
    """[from, to)."""

    from_: date = Field(alias="from")
    to: date


class SnapshotIn(Body):
    """What to freeze."""

    period: PeriodModel
    kpi: Kpi


class SnapshotOut(Answer):
    """A snapshot's head."""

    id: UUID
    kpi: str
    period: PeriodModel
    content_hash: str
    created_at: datetime


def _head(snapshot: Snapshot) -> SnapshotOut:
    return SnapshotOut(
        id=snapshot.id,
        kpi=snapshot.kpi,
        period=PeriodModel(from_=snapshot.period_from, to=snapshot.period_to),
        content_hash=snapshot.content_hash,
        created_at=snapshot.created_at,
    )


@routes.post("/v1/snapshots", allow=READERS, status_code=201)
async def post_snapshot(body: SnapshotIn, session: Session, now: Now) -> SnapshotOut:
    """Freeze the figures of a period; the same facts give the same `content_hash`."""
    try:
        days = between(body.period.from_, body.period.to)
    except PeriodError as error:
        raise Invalid(str(error), pointer=f"/body/period/{error.field}") from error
    return _head(await freeze(session, body.kpi, days, now))


@routes.get("/v1/snapshots/{id}", allow=READERS)
async def get_snapshot(id: UUID, session: Session) -> Response:
    """The snapshot with its figures and contributions, byte for byte as they were frozen, and each employee's coverage."""
    snapshot = await load_snapshot(session, id)
    bodies = await frozen_bodies(session, id)
    return _json(
        {
            **_head(snapshot).model_dump(mode="json", by_alias=True),
            "figures": msgspec.Raw(snapshot.figures),
            "coverage": coverage_of(snapshot),
            "contributions": [msgspec.Raw(body) for body in bodies],
            "circumstances": msgspec.Raw(snapshot.circumstances),
            "positions": snapshot.positions,
        }
    )


@routes.get("/v1/snapshots/{id}/figures", allow=READERS)
async def get_narrowed(
    id: UUID, session: Session, segment: Segments = (), without: Segments = ()
) -> Response:
    """The figures that the frozen responses of some segments give: with every `segment`, `without` any of these."""
    snapshot = await load_snapshot(session, id)
    figures = await narrowed_figures(session, snapshot, Narrowing.of(segment, without))
    return _json({"snapshot": id, "figures": figures})


@routes.get("/v1/snapshots/{id}/corrections", allow=READERS)
async def get_corrections(
    id: UUID, session: Session, segment: Segments = (), without: Segments = ()
) -> Response:
    """What has changed since, response by response, and the figures (of some segments) as they would be with it."""
    narrowing = Narrowing.of(segment, without)
    changed, figures = await corrections(session, await load_snapshot(session, id), narrowing)
    return _json({"snapshot": id, "changed": changed, "figures": figures})


def _json(content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
