"""Whether people do what is expected, over time, beside what customers say."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import Field

from closed_loop.api.coaching_act import Today
from closed_loop.domain.adoption import FEWEST_PEOPLE, READING, Seen, months, share, within
from closed_loop.service.adoption import (
    Outcome,
    Scope,
    ScopeType,
    Trained,
    behaviour_names,
    check_may_see,
    observations,
    outcomes,
    trained,
)
from fairloop.auth import EVERYBODY
from fairloop.errors import Invalid
from fairloop.service import Runtime
from fairloop.web import Answer, Caller, Routes, Slug

routes = Routes(tag="coaching")

MOST_MONTHS = 24


class ShareOut(Answer):
    """`share` of `n` observations showed the behaviour, with Wilson's 95 % interval; all null when suppressed."""

    n: int | None
    people: int | None
    shown: int | None
    share: str | None
    ci95: tuple[str, str] | None
    suppressed: bool


class OutcomeOut(Answer):
    value: float | None
    ci95: tuple[float, float] | None
    n: int | None
    suppressed: bool


class MonthOut(ShareOut):
    month: str
    outcome: OutcomeOut | None


class BehaviourShareOut(ShareOut):
    behaviour: str
    name: str


class TrainedOut(Answer):
    """Null in groups of fewer than 3 people."""

    people: int | None
    trained: int | None


class AdoptionOut(Answer):
    """`outcome` of a month is the KPI of its days; null when kpi-aggregator does not answer."""

    scope_type: ScopeType
    scope_id: str
    behaviour: str | None
    kpi: str
    view: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    months: list[MonthOut]
    total: ShareOut
    behaviours: list[BehaviourShareOut]
    training: TrainedOut
    reading: str


@routes.get("/v1/adoption/{scope_type}/{id}", allow=EVERYBODY)
async def get_adoption(
    *,
    scope_type: ScopeType,
    id: Slug,
    request: Request,
    caller: Caller,
    today: Today,
    from_: Annotated[date | None, Query(alias="from", description="six months ago by default")] = None,
    to: Annotated[date | None, Query(description="exclusive; tomorrow by default")] = None,
    behaviour: Slug | None = None,
    kpi: Literal["nps", "csat", "ces"] = "nps",
    view: Literal["all", "influenced"] = "all",
) -> AdoptionOut:
    """By month. Nothing of it has a part in pay."""
    end = to or today + timedelta(days=1)
    start = from_ or (end - timedelta(days=182)).replace(day=1)
    days = list(months(start, end)) if start < end else []
    if not 0 < len(days) <= MOST_MONTHS:
        raise Invalid(f"From one to {MOST_MONTHS} months.", pointer="/query/to")
    runtime: Runtime = request.app.state.runtime
    scope = Scope(scope_type, id)
    async with runtime.db.begin() as session:
        await check_may_see(session, scope, caller, today)
        seen = await observations(session, scope, (start, end), behaviour=behaviour)
        names = await behaviour_names(session)
        training = await trained(session, scope, today, behaviour=behaviour)
    beside = await outcomes(runtime.peers, kpi, scope, view, days)
    return AdoptionOut(
        scope_type=scope_type,
        scope_id=id,
        behaviour=behaviour,
        kpi=kpi,
        view=view,
        start=start,
        end=end,
        months=[
            _month(seen, part, beside[place] if beside is not None else None, scope)
            for place, part in enumerate(days)
        ],
        total=_share(seen, scope),
        behaviours=[
            BehaviourShareOut(
                **dict(_share([one for one in seen if one.behaviour == each], scope)),
                behaviour=each,
                name=names.get(each, each),
            )
            for each in sorted({one.behaviour for one in seen})
        ],
        training=_training(training, scope),
        reading=READING,
    )


def _share(seen: list[Seen], scope: Scope) -> ShareOut:
    return ShareOut.model_validate(share(seen, of_group=scope.is_group))


def _month(seen: list[Seen], days: tuple[date, date], outcome: Outcome | None, scope: Scope) -> MonthOut:
    return MonthOut(
        **dict(_share(list(within(seen, days)), scope)),
        month=f"{days[0]:%Y-%m}",
        outcome=None if outcome is None else OutcomeOut.model_validate(outcome),
    )


def _training(training: Trained, scope: Scope) -> TrainedOut:
    if scope.is_group and training.people < FEWEST_PEOPLE:
        return TrainedOut(people=None, trained=None)
    return TrainedOut(people=training.people, trained=training.trained)
