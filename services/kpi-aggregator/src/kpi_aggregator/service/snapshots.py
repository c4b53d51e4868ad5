"""Figures frozen for good, and what has changed since."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.errors import NotFound
from fairloop.events import KpiSnapshot
from fairloop.ids import uuid7
from fairloop.outbox import publish
from kpi_aggregator.domain.corrections import Change, changes, corrected
from kpi_aggregator.domain.coverage import FrozenCoverage, frozen_coverage
from kpi_aggregator.domain.figure import Figure
from kpi_aggregator.domain.frozen import (
    Circumstances,
    FrozenContribution,
    content_hash,
    counting,
    figures,
    frozen,
    thawed,
)
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.segments import Narrowing
from kpi_aggregator.service.coverage import asked_by_employees
from kpi_aggregator.service.directory import everybody
from kpi_aggregator.service.kpi_settings import load_settings
from kpi_aggregator.service.stored import erased_among, of_days
from kpi_aggregator.service.tree import load_tree
from kpi_aggregator.tables import Snapshot

_SAVE_CONTRIBUTIONS = """
INSERT INTO snapshot_contribution (snapshot_id, response_id, body)
SELECT $1::uuid, * FROM unnest($2::uuid[], $3::bytea[])
"""
_CONTRIBUTIONS = "SELECT body FROM snapshot_contribution WHERE snapshot_id = $1 ORDER BY response_id"

_encoder = msgspec.json.Encoder()
_contribution = msgspec.json.Decoder(FrozenContribution)


async def freeze(session: AsyncSession, kpi: str, days: Days, now: datetime) -> Snapshot:
    """Freeze a period's figures and the facts they rest on. The session must be new: its isolation is set here."""
    snapshot, contributions = await _frozen(session, uuid7(), kpi, days, now)
    await _save(session, snapshot, contributions)
    await publish(session, [announcement(snapshot)])
    return snapshot


async def freeze_again(session: AsyncSession, announced: KpiSnapshot, made_at: datetime) -> bool:
    """The very set that was announced, if today's facts still give its content hash; else nothing, and False.

    The session must be new: its isolation is set here.
    """
    days = Days(announced.period_from, announced.period_to)
    snapshot, contributions = await _frozen(session, announced.snapshot_id, announced.kpi, days, made_at)
    if snapshot.content_hash != announced.content_hash:
        contributions = [replace(one, segments=msgspec.UNSET) for one in contributions]
        snapshot.content_hash = _hash_of(snapshot, contributions)  # as releases without segments made it
    if snapshot.content_hash != announced.content_hash:
        return False
    await _save(session, snapshot, contributions)
    return True


def _hash_of(snapshot: Snapshot, contributions: Sequence[FrozenContribution]) -> str:
    days = Days(snapshot.period_from, snapshot.period_to)
    shown = msgspec.json.decode(snapshot.figures, type=list[Figure])
    under = msgspec.json.decode(snapshot.circumstances, type=Circumstances)
    return content_hash(snapshot.kpi, days, contributions, shown, under)


async def _frozen(
    session: AsyncSession, id: UUID, kpi: str, days: Days, at: datetime
) -> tuple[Snapshot, list[FrozenContribution]]:
    await sql(session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    under = await _circumstances(session, kpi, days)
    counted = counting(await of_days(session, days), kpi, days)
    positions = await _positions(session)

    contributions = [frozen(contribution, kpi) for contribution in counted]
    shown = await asyncio.to_thread(figures, kpi, days, counted, under)
    snapshot = Snapshot(
        id=id,
        kpi=kpi,
        period_from=days.start,
        period_to=days.end,
        content_hash=content_hash(kpi, days, contributions, shown, under),
        created_at=at,
        positions=positions,
        circumstances=_encoder.encode(under),
        figures=_encoder.encode(shown),
    )
    return snapshot, contributions


async def _save(
    session: AsyncSession, snapshot: Snapshot, contributions: Sequence[FrozenContribution]
) -> None:
    session.add(snapshot)
    await session.flush()
    await sql(
        session,
        _SAVE_CONTRIBUTIONS,
        snapshot.id,
        [contribution.response_id for contribution in contributions],
        [_encoder.encode(contribution) for contribution in contributions],
    )


def announcement(snapshot: Snapshot) -> KpiSnapshot:
    """The event that says it exists."""
    return KpiSnapshot(
        version=1,
        snapshot_id=snapshot.id,
        kpi=snapshot.kpi,
        period_from=snapshot.period_from,
        period_to=snapshot.period_to,
        content_hash=snapshot.content_hash,
    )


async def load_snapshot(session: AsyncSession, snapshot_id: UUID) -> Snapshot:
    """Raises NotFound."""
    snapshot = await session.get(Snapshot, snapshot_id)
    if snapshot is None:
        raise NotFound(f"There is no snapshot {snapshot_id}.")
    return snapshot


def coverage_of(snapshot: Snapshot) -> dict[str, FrozenCoverage]:
    """How many of each employee's customers could be asked and were, when it was frozen."""
    return msgspec.json.decode(snapshot.circumstances, type=Circumstances).coverage


async def frozen_bodies(session: AsyncSession, snapshot_id: UUID) -> list[bytes]:
    """The frozen contributions as they were written, each a JSON object, by response id."""
    return [row[0] for row in await sql(session, _CONTRIBUTIONS, snapshot_id)]


async def narrowed_figures(session: AsyncSession, snapshot: Snapshot, narrowing: Narrowing) -> list[Figure]:
    """The figures that the frozen responses of some segments give, under the frozen circumstances."""
    under = msgspec.json.decode(snapshot.circumstances, type=Circumstances)
    bodies = await frozen_bodies(session, snapshot.id)
    return await asyncio.to_thread(_folded, snapshot, map(_contribution.decode, bodies), narrowing, under)


def _folded(
    snapshot: Snapshot, kept: Iterable[FrozenContribution], narrowing: Narrowing, under: Circumstances
) -> list[Figure]:
    days = Days(snapshot.period_from, snapshot.period_to)
    counted = [thawed(one, snapshot.kpi) for one in kept if narrowing.holds(one.segments or {})]
    return figures(snapshot.kpi, days, counted, under)


async def corrections(
    session: AsyncSession, snapshot: Snapshot, narrowing: Narrowing
) -> tuple[list[Change], list[Figure]]:
    """What differs today from what was frozen, and the figures on the corrected facts (of some segments only).

    Settings, tree and people are those frozen, so that only responses make a difference; a unit made since is
    where it is today.
    """
    kpi, days = snapshot.kpi, Days(snapshot.period_from, snapshot.period_to)
    under = msgspec.json.decode(snapshot.circumstances, type=Circumstances)
    under = replace(under, parents={**(await load_tree(session)).parents, **under.parents})
    bodies = await frozen_bodies(session, snapshot.id)
    before = {c.response_id: c for c in map(_contribution.decode, bodies)}
    counted = counting(await of_days(session, days), kpi, days)
    erased = await erased_among(session, before)

    after = corrected(before, {c.response_id: frozen(c, kpi) for c in counted}, erased)
    in_order = [after[response_id] for response_id in sorted(after)]
    return changes(before, after), await asyncio.to_thread(_folded, snapshot, in_order, narrowing, under)


async def _circumstances(session: AsyncSession, kpi: str, days: Days) -> Circumstances:
    tree = await load_tree(session)
    return Circumstances(
        settings=await load_settings(session, kpi),
        parents=dict(tree.parents),
        employees=tuple(sorted(await everybody(session))),
        coverage=frozen_coverage(await asked_by_employees(session, days)),
    )


async def _positions(session: AsyncSession) -> dict[str, dict[str, int]]:
    """topic → partition → the highest event taken in."""
    positions: dict[str, dict[str, int]] = {}
    for topic, part, hw_pseq in await sql(
        session, "SELECT topic, part, hw_pseq FROM consumer_pos ORDER BY topic, part"
    ):
        positions.setdefault(topic, {})[str(part)] = hw_pseq
    return positions
