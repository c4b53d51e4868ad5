"""What customers who did not answer would probably have said. For analysts; no figure anybody is paid on has it."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from fastapi import Request
from pydantic import Field
from sqlalchemy import select

from fairloop.auth import Role, roles
from fairloop.errors import Invalid
from fairloop.service import Runtime
from fairloop.web import Answer, Body, Listing, Now, Paging, Routes, Session
from fairloop.web.paging import decode_cursor, encode_cursor, listing
from kpi_aggregator.domain.period import PeriodError, between
from kpi_aggregator.domain.prediction import ASSUMPTION
from kpi_aggregator.service.predictions import keep, load_run, outcome, page_of, predict
from kpi_aggregator.tables import PredictionRun

routes = Routes(tag="predictions")

MAKERS = roles(Role.ADMIN, Role.ANALYST)
READERS = MAKERS | roles(Role.WORKS_COUNCIL)


class PeriodModel(Body):
    """[from, to), of the days interactions happened."""

    from_: date = Field(alias="from")
    to: date


class PredictionIn(Body):
    """What to predict, for the interactions of which days."""

    kpi: Literal["nps"]
    period: PeriodModel


class CalibrationOut(Answer):
    answer: Literal["promoter", "passive", "detractor"]
    n: int
    predicted: float
    observed: float


class ReliabilityOut(Answer):
    """Out of fold. `skill` is 1 − Brier/Brier of the base rate; `calibration` has fifths of the answers."""

    answers: int
    brier: float
    brier_base_rate: float
    skill: float
    skill_ci95: tuple[float, float]
    calibration: list[CalibrationOut]


class WholeBaseOut(Answer):
    """NPS over every interaction: answers as given, the others as predicted."""

    interactions: int
    answered: int
    nps: float
    ci95: tuple[float, float]
    nps_of_answers: float
    assumption: str = ASSUMPTION


class PredictionOut(Answer):
    """A run. `refused` says why it has no figure: too few answers, or no better than the base rate."""

    id: UUID
    kpi: str
    period: PeriodModel
    created_at: datetime
    status: Literal["made", "refused"]
    refused: str | None
    interactions: int
    answered: int
    features: list[str]
    reliability: ReliabilityOut | None
    whole_base: WholeBaseOut | None


class InteractionOut(Answer):
    """One interaction nobody answered about; `expected_nps` is 100·(promoter − detractor)."""

    interaction: str
    promoter: float
    passive: float
    detractor: float
    expected_nps: float


def _out(run: PredictionRun) -> PredictionOut:
    found = outcome(run)
    return PredictionOut(
        id=run.id,
        kpi=run.kpi,
        period=PeriodModel(**{"from": run.period_from, "to": run.period_to}),
        created_at=run.created_at,
        status="made" if found.refused is None else "refused",
        refused=found.refused,
        interactions=found.interactions,
        answered=found.answered,
        features=list(found.features),
        reliability=None if found.reliability is None else ReliabilityOut.model_validate(found.reliability),
        whole_base=None if found.whole_base is None else WholeBaseOut.model_validate(found.whole_base),
    )


@routes.post("/v1/predictions", allow=MAKERS, status_code=201)
async def post_prediction(body: PredictionIn, request: Request, session: Session, now: Now) -> PredictionOut:
    """Train on the answered interactions of the days and predict the others; takes seconds.

    Refused runs are kept too, with the reason and without predictions.
    """
    try:
        days = between(body.period.from_, body.period.to)
    except PeriodError as error:
        raise Invalid(str(error), pointer=f"/body/period/{error.field}") from error
    runtime: Runtime = request.app.state.runtime
    made = await predict(runtime.db, body.kpi, days)
    return _out(await keep(session, body.kpi, days, made, at=now))


@routes.get("/v1/predictions", allow=READERS)
async def list_predictions(session: Session, page: Paging) -> Listing[PredictionOut]:
    """Every run, the newest first."""
    return await listing(
        session, select(PredictionRun), by=[PredictionRun.id], page=page, to=_out, descending=True
    )


@routes.get("/v1/predictions/{id}", allow=READERS)
async def get_prediction(id: UUID, session: Session) -> PredictionOut:
    """The whole base's figure and how far it can be relied on."""
    return _out(await load_run(session, id))


@routes.get("/v1/predictions/{id}/interactions", allow=roles(Role.ANALYST))
async def list_interactions(id: UUID, session: Session, page: Paging) -> Listing[InteractionOut]:
    """The interactions nobody answered about, for analysts alone."""
    after = "" if page.cursor is None else decode_cursor(page.cursor, [str])[0]
    rows = await page_of(session, await load_run(session, id), after=after, limit=page.limit + 1)
    shown = [
        InteractionOut(
            interaction=interaction,
            promoter=promoter,
            passive=passive,
            detractor=detractor,
            expected_nps=round(100 * (promoter - detractor), 1),
        )
        for interaction, (promoter, passive, detractor) in rows[: page.limit]
    ]
    more = encode_cursor([shown[-1].interaction]) if len(rows) > page.limit else None
    return Listing[InteractionOut](items=shown, next=more)
