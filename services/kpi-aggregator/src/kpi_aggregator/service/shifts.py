"""Shifts: found in the running sums, kept and announced once for each scope and window."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec import structs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import KpiShift
from fairloop.outbox import publish
from kpi_aggregator.domain.figure import shown_value
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.marks import Scope, ScopeType
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.shift import Moved, ShiftSettings, moved, windows_until
from kpi_aggregator.domain.sums import NOTHING
from kpi_aggregator.service.buckets import sums_of_all
from kpi_aggregator.service.kpi_settings import load_settings, load_shift_settings
from kpi_aggregator.tables import Shift

WATCHED: tuple[ScopeType, ...] = ("org_unit", "organisation", "cause")
"""Never persons: what a single employee's customers say does not set off anything by itself."""

_ALONE = 0x4B50_4953_4846

_SHIFTS = uuid5(NAMESPACE_URL, "fairloop:kpi.shift.v1")
"""A scope's shift in a window has one id, whoever finds it and however often."""

_RESTING = "SELECT scope_type, scope_id FROM kpi_shift WHERE kpi = $1 AND window_to > $2"


class Seen(NamedTuple):
    """What the shifts of a KPI are made of: while none of it differs there is nothing new to find."""

    today: date
    settings: ShiftSettings
    positions: tuple[tuple[str, int, int], ...]


async def seen(session: AsyncSession, kpi: str, today: date) -> Seen:
    """As of now."""
    rows = await sql(session, "SELECT topic, part, hw_pseq FROM consumer_pos ORDER BY topic, part")
    return Seen(today, await load_shift_settings(session, kpi), tuple((r[0], r[1], r[2]) for r in rows))


async def find_shifts(session: AsyncSession, kpi: str, *, today: date, now: datetime) -> int:
    """Keep and publish what has moved; a scope that has shifted rests until its window has passed. How many."""
    await sql(session, "SELECT pg_advisory_xact_lock($1)", _ALONE)
    settings, min_n = await load_shift_settings(session, kpi), (await load_settings(session, kpi)).min_n
    last, before = windows_until(today, settings)
    resting = {(row[0], row[1]) for row in await sql(session, _RESTING, kpi, last.start)}
    found: list[KpiShift] = []
    for scope_type in WATCHED:
        value = (await sums_of_all(session, kpi, scope_type, view="all", days=last)).sums
        earlier = (await sums_of_all(session, kpi, scope_type, view="all", days=before)).sums
        for scope_id in sorted(value.keys() - {id for of, id in resting if of == scope_type}):
            was = earlier.get(scope_id, NOTHING)
            one = moved(kpi, value[scope_id], was, min_n=min_n, settings=settings)
            if one is not None:
                scope = Scope(scope_type, scope_id, "all")
                found.append(_event(kpi, scope, one, windows=(before, last), threshold=settings.z))
    session.add_all([_row(event, now) for event in found])
    await session.flush()
    await publish(session, found)
    return len(found)


def _event(kpi: str, scope: Scope, one: Moved, *, windows: tuple[Days, Days], threshold: float) -> KpiShift:
    before, last = windows
    scale = SCALES[kpi]
    return KpiShift(
        version=1,
        shift_id=uuid5(_SHIFTS, f"{kpi}/{scope.scope_type}/{scope.scope_id}/{last.end}"),
        kpi=kpi,
        scope_type=scope.scope_type,
        scope_id=scope.scope_id,
        view=scope.view,
        before_from=before.start,
        window_from=last.start,
        window_to=last.end,
        value=shown_value(scale, one.value),
        before=shown_value(scale, one.before),
        n=one.value.n,
        n_before=one.before.n,
        z=round(one.z, 2),
        threshold=threshold,
    )


def _row(event: KpiShift, at: datetime) -> Shift:
    told = structs.asdict(event)
    del told["version"], told["shift_id"]
    return Shift(id=event.shift_id, created_at=at, **told)


def announced(shift: Shift) -> KpiShift:
    """The event that tells of it."""
    names = [field for field in KpiShift.__struct_fields__ if field not in {"version", "shift_id"}]
    return KpiShift(version=1, shift_id=shift.id, **{name: getattr(shift, name) for name in names})


async def take_shifts(session: AsyncSession, told: Iterable[tuple[KpiShift, datetime]]) -> int:
    """After a restore: as they were first announced; how many were not there, or not so."""
    first: dict[UUID, tuple[KpiShift, datetime]] = {}
    for event, at in told:
        first.setdefault(event.shift_id, (event, at))
    rows = await session.scalars(select(Shift).where(Shift.id.in_(first)))
    held = {row.id: announced(row) for row in rows}
    differing = [(event, at) for id, (event, at) in sorted(first.items()) if held.get(id) != event]
    for event, at in differing:
        await session.merge(_row(event, at))
    return len(differing)
