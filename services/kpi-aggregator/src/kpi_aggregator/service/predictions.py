"""Predictions: interactions and their answers loaded, a model tried and used outside any transaction, the run kept."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import Database, copy_in, sql
from fairloop.errors import Conflict, NotFound
from fairloop.ids import uuid7
from kpi_aggregator.domain.kpi import SCALES, category
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.prediction import (
    CLASSES,
    Reliability,
    Scalar,
    Seen,
    Shares,
    WholeBase,
    no_better,
    reliability,
    too_few,
    usable,
    whole_base,
)
from kpi_aggregator.service.directory import everybody
from kpi_aggregator.service.stored import decoded
from kpi_aggregator.tables import PredictionRun

_INTERACTIONS = """
SELECT interaction, day, org_unit, touchpoint, attributes::text FROM interaction WHERE day >= $1 AND day < $2
"""
_ANSWERS = """
SELECT interaction, body FROM contribution JOIN interaction USING (interaction)
WHERE body IS NOT NULL AND interaction.day >= $1 AND interaction.day < $2
ORDER BY contribution.day, response_id
"""
_COLUMNS = ("run_id", "interaction", "promoter", "passive", "detractor")
_PAGE = """
SELECT interaction, promoter, passive, detractor FROM prediction
WHERE run_id = $1 AND interaction > $2 ORDER BY interaction LIMIT $3
"""

_attributes = msgspec.json.Decoder(dict[str, Scalar])


class Base(NamedTuple):
    """Every interaction of the days: those that were answered, and the rest."""

    answered: list[Seen]
    rest: list[Seen]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to. With a `refused` reason there are neither predictions nor a figure of the whole base."""

    interactions: int
    answered: int
    features: tuple[str, ...]
    refused: str | None = None
    reliability: Reliability | None = None
    whole_base: WholeBase | None = None


class Predicted(NamedTuple):
    """A run that is not kept yet."""

    outcome: Outcome
    shares: dict[str, Shares]


async def predict(db: Database, kpi: str, days: Days) -> Predicted:
    """Load in a transaction of its own, then train in a thread: no transaction is open meanwhile."""
    async with db.begin() as session:
        base = await _load(session, kpi, days)
    return await asyncio.to_thread(outcome_of, base)


def outcome_of(base: Base) -> Predicted:
    """Everything about the run but its name; the work of seconds."""
    came = [one.answered for one in base.answered if one.answered is not None]
    names = sorted({name for one in (*base.answered, *base.rest) for name in one.features})
    outcome = Outcome(
        interactions=len(base.answered) + len(base.rest), answered=len(came), features=tuple(names)
    )
    reason = too_few(came)
    if reason is not None:
        return Predicted(msgspec.structs.replace(outcome, refused=reason), {})
    from kpi_aggregator.domain.training import train  # noqa: PLC0415 - scikit-learn is slow to load

    trained = train(base.answered, base.rest)
    found = reliability(trained.out_of_fold, came)
    reason = no_better(found)
    if reason is not None:
        return Predicted(msgspec.structs.replace(outcome, refused=reason, reliability=found), {})
    whole = whole_base(came, trained.rest, trained.by_part)
    shares = {one.id: share for one, share in zip(base.rest, trained.rest, strict=True)}
    return Predicted(msgspec.structs.replace(outcome, reliability=found, whole_base=whole), shares)


async def keep(
    session: AsyncSession, kpi: str, days: Days, made: Predicted, *, at: datetime
) -> PredictionRun:
    """The run and its predictions, together."""
    run = PredictionRun(
        id=uuid7(),
        kpi=kpi,
        period_from=days.start,
        period_to=days.end,
        created_at=at,
        outcome=msgspec.json.encode(made.outcome),
    )
    session.add(run)
    rows = [(run.id, id, *shares) for id, shares in sorted(made.shares.items())]
    await copy_in(session, "prediction", _COLUMNS, rows)
    return run


async def load_run(session: AsyncSession, run_id: UUID) -> PredictionRun:
    """Raises NotFound."""
    run = await session.get(PredictionRun, run_id)
    if run is None:
        raise NotFound(f"There is no prediction {run_id}.")
    return run


def outcome(run: PredictionRun) -> Outcome:
    """What a kept run came to."""
    return msgspec.json.decode(run.outcome, type=Outcome)


async def page_of(
    session: AsyncSession, run: PredictionRun, *, after: str, limit: int
) -> Sequence[tuple[str, Shares]]:
    """Interaction and probabilities, by interaction. Raises Conflict where they were withheld."""
    refused = outcome(run).refused
    if refused is not None:
        raise Conflict(f"This prediction was refused, it has no interactions. {refused}")
    return [(row[0], (row[1], row[2], row[3])) for row in await sql(session, _PAGE, run.id, after, limit)]


async def _load(session: AsyncSession, kpi: str, days: Days) -> Base:
    rows = await sql(session, _INTERACTIONS, days.start, days.end)
    facts = {
        row.interaction: (row.day, row.org_unit, row.touchpoint, _attributes.decode(row.attributes))
        for row in rows
    }
    features = usable(facts, await everybody(session))
    answers = await _answers(session, kpi, days)
    known = [Seen(id, of, answers.get(id)) for id, of in sorted(features.items())]
    return Base(
        [one for one in known if one.answered is not None], [one for one in known if one.answered is None]
    )


async def _answers(session: AsyncSession, kpi: str, days: Days) -> dict[str, int]:
    """Interaction → class of its last answer."""
    rows = await sql(session, _ANSWERS, days.start, days.end)
    scores = {row.interaction: decoded(row.body).scores.get(kpi) for row in rows}
    return {
        interaction: CLASSES.index(category(SCALES[kpi], score))
        for interaction, score in scores.items()
        if score is not None
    }
