"""Simulations: candidate plans on past periods."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field, model_validator
from sqlalchemy import select

from bonus.api.plan_body import CandidatePlan
from bonus.api.simulation_body import CandidateOut, for_readers_of_aggregates
from bonus.service.simulations import Question, get_simulation, outcome_of, simulate
from bonus.tables import Simulation
from fairloop.auth import Caller as AuthCaller
from fairloop.auth import Role, roles
from fairloop.web import Answer, Body, Caller, Listing, Now, Paging, Routes, Session, Slug, listing

routes = Routes(tag="simulations")

READERS = roles(Role.ADMIN, Role.FINANCE, Role.ANALYST, Role.WORKS_COUNCIL)


class CandidateIn(Body):
    id: Slug
    plan: CandidatePlan


class SimulationIn(Body):
    """`replicates`: draws of the frozen responses that say how much is chance; 0 leaves that out."""

    periods: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=12)]
    candidates: Annotated[tuple[CandidateIn, ...], Field(min_length=1, max_length=10)]
    replicates: Annotated[int, Field(ge=0, le=1000)] = 200
    seed: Annotated[int, Field(ge=0, le=2**53)] = 0

    @model_validator(mode="after")
    def _named_once(self) -> "SimulationIn":
        for what, names in (("period", self.periods), ("candidate", [one.id for one in self.candidates])):
            if len(set(names)) < len(names):
                raise ValueError(f"a {what} appears more than once")
        return self


class SimulationOut(Answer):
    """What the candidates would have paid. `people` only for those who may see everybody's pay; nothing is paid."""

    id: UUID
    periods: list[str]
    made_by: str
    made_at: datetime
    candidates: list[CandidateOut]


@routes.post("/v1/simulations", allow=roles(Role.ADMIN, Role.FINANCE), status_code=201)
async def post_simulation(
    *, body: SimulationIn, request: Request, session: Session, caller: Caller, now: Now
) -> SimulationOut:
    """Replay candidate plans on the frozen facts of approved periods. Changes nothing but the list of simulations."""
    question = Question(
        periods=body.periods,
        candidates={one.id: one.plan.to_domain() for one in body.candidates},
        replicates=body.replicates,
        seed=body.seed,
        asked=body.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    )
    runtime = request.app.state.runtime
    return _shown(await simulate(session, question, runtime=runtime, caller=caller, now=now), caller)


@routes.get("/v1/simulations/{id}", allow=READERS)
async def get_one(id: UUID, session: Session, caller: Caller) -> SimulationOut:
    return _shown(await get_simulation(session, id), caller)


@routes.get("/v1/simulations", allow=READERS)
async def get_simulations(session: Session, caller: Caller, page: Paging) -> Listing[SimulationOut]:
    """Newest first."""
    return await listing(
        session,
        select(Simulation),
        by=[Simulation.id],
        page=page,
        to=lambda row: _shown(row, caller),
        descending=True,
    )


def _shown(row: Simulation, caller: AuthCaller) -> SimulationOut:
    candidates = [CandidateOut.model_validate(one) for one in outcome_of(row)]
    if not caller.has(Role.ADMIN, Role.FINANCE):
        candidates = [for_readers_of_aggregates(one) for one in candidates]
    return SimulationOut(
        id=row.id, periods=row.periods, made_by=row.made_by, made_at=row.made_at, candidates=candidates
    )
