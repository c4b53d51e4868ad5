"""For whoever watches over the follow-up: what is open and how old it is, and whether everybody who answered was heard."""

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import Query, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.alerts import Track
from closed_loop.domain.routing import subtree
from closed_loop.domain.shares import share
from closed_loop.service.directory import load_parents
from closed_loop.service.oversight import BANDS, OLDEST_BAND, Pile, Standing, piles, results, standings
from closed_loop.service.visibility import load_sight
from closed_loop.settings import ClosedLoopSettings
from closed_loop.tables import CaseRow
from fairloop.auth import Caller as AuthCaller
from fairloop.auth import Role, roles
from fairloop.errors import Invalid, NotFound
from fairloop.web import Answer, Caller, Now, Routes, Session, Slug

routes = Routes(tag="oversight")
READERS = roles(Role.ADMIN, Role.OPS, Role.ANALYST, Role.MANAGER, Role.EMPLOYEE, Role.WORKS_COUNCIL)
REPORT_READERS = roles(Role.ADMIN, Role.OPS, Role.ANALYST, Role.MANAGER, Role.WORKS_COUNCIL)
DEFAULT_DAYS = timedelta(days=90)


class PileOut(Answer):
    """`unattended`: nobody has acted yet. `oldest_days`: whole days."""

    open: int
    breached: int
    escalated: int
    unattended: int
    paused: int
    oldest_opened_at: datetime | None
    oldest_days: int | None


class BandPile(PileOut):
    """Opened this many days ago, [from, to)."""

    days: str


class OwnerPile(PileOut):
    owner: str


class UnitPile(PileOut):
    org_unit: str | None


class TrackPile(PileOut):
    track: Track


class AgeingOut(Answer):
    as_of: datetime
    total: PileOut
    by_age: list[BandPile]
    by_owner: list[OwnerPile]
    by_org_unit: list[UnitPile]
    by_track: list[TrackPile]


class StandingOut(Answer):
    """`n`: those whose time is up or who were followed up; `share` of them in time, with Wilson's 95 % interval."""

    respondents: int
    pending: int
    in_time: int
    late: int
    without_case: int
    n: int
    share: str | None
    ci95: tuple[str, str] | None


class TrackStanding(StandingOut):
    """`unscored`: neither an NPS nor a case."""

    track: str


class TeamStanding(StandingOut):
    org_unit: str | None


class TrackTeamStanding(TrackStanding, TeamStanding):
    pass


class ResultOut(Answer):
    track: Track
    result: str
    cases: int


class FollowUpOut(Answer):
    """Of everybody who answered from … to (exclusive)."""

    from_: date = Field(alias="from")
    to: date
    total: StandingOut
    by_track: list[TrackStanding]
    by_org_unit: list[TeamStanding]
    by_track_and_org_unit: list[TrackTeamStanding]
    results: list[ResultOut]


@routes.get("/v1/oversight/ageing", allow=READERS)
async def get_ageing(
    *,
    session: Session,
    caller: Caller,
    now: Now,
    oversight_owner: str | None = None,
    owner: str | None = None,
    org_unit: Slug | None = None,
    track: Track | None = None,
    alert_rule: str | None = None,
) -> AgeingOut:
    """The open cases the caller may see, by age, owner, unit and track; `org_unit` with those below it."""
    wanted = [(await load_sight(session, caller)).condition()]
    if oversight_owner is not None:
        wanted.append(CaseRow.oversight_owner == oversight_owner)
    if owner is not None:
        wanted.append(CaseRow.owner == owner)
    if org_unit is not None:
        wanted.append(CaseRow.org_unit.in_(subtree(await load_parents(session), [org_unit])))
    if track is not None:
        wanted.append(CaseRow.state["track"].astext == track)
    if alert_rule is not None:
        wanted.append(CaseRow.alert_rule == alert_rule)
    found = await piles(session, wanted, now=now)
    order = [name for name, _ in BANDS] + [OLDEST_BAND]
    by_age = {pile.value: pile for pile in found if pile.dimension == "band"}
    return AgeingOut(
        as_of=now,
        total=PileOut.model_validate(_shown(next(p for p in found if p.dimension is None), now)),
        by_age=[
            BandPile.model_validate({"days": name, **_shown(by_age[name], now)})
            for name in order
            if name in by_age
        ],
        by_owner=[
            OwnerPile.model_validate({"owner": pile.value, **_shown(pile, now)})
            for pile in found
            if pile.dimension == "owner"
        ],
        by_org_unit=[
            UnitPile.model_validate({"org_unit": pile.value or None, **_shown(pile, now)})
            for pile in found
            if pile.dimension == "org_unit"
        ],
        by_track=[
            TrackPile.model_validate({"track": pile.value, **_shown(pile, now)})
            for pile in found
            if pile.dimension == "track"
        ],
    )


@routes.get("/v1/reports/follow-up", allow=REPORT_READERS)
async def get_follow_up(
    *,
    request: Request,
    session: Session,
    caller: Caller,
    now: Now,
    from_: Annotated[date | None, Query(alias="from")] = None,
    to: Annotated[date | None, Query(description="exclusive; tomorrow by default")] = None,
    org_unit: Slug | None = None,
) -> FollowUpOut:
    """Which share of those who answered was followed up in time. Managers: of the own units and what is below them."""
    settings: ClosedLoopSettings = request.app.state.runtime.settings
    end = to or now.astimezone(settings.zone).date() + timedelta(days=1)
    start = from_ or end - DEFAULT_DAYS
    if start >= end:
        raise Invalid("`from` must be before `to`.", pointer="/query/from")
    units = await _units_of(session, caller, org_unit)
    found = await standings(session, start, end, units)
    total = next(one for one in found if one.track is None and one.org_unit is None)
    return FollowUpOut(
        from_=start,
        to=end,
        total=StandingOut.model_validate(_figures(total)),
        by_track=[
            TrackStanding.model_validate({"track": one.track, **_figures(one)})
            for one in found
            if one.track is not None and one.org_unit is None
        ],
        by_org_unit=[
            TeamStanding.model_validate({"org_unit": one.org_unit or None, **_figures(one)})
            for one in found
            if one.track is None and one.org_unit is not None
        ],
        by_track_and_org_unit=[
            TrackTeamStanding.model_validate(
                {"track": one.track, "org_unit": one.org_unit or None, **_figures(one)}
            )
            for one in found
            if one.track is not None and one.org_unit is not None
        ],
        results=[
            ResultOut.model_validate(one, from_attributes=True)
            for one in await results(session, start, end, units)
        ],
    )


async def _units_of(session: AsyncSession, caller: AuthCaller, org_unit: str | None) -> list[str] | None:
    """The units to count; None: all. Raises NotFound for another's."""
    parents = await load_parents(session)
    everything = caller.has(Role.ADMIN, Role.OPS, Role.ANALYST, Role.WORKS_COUNCIL)
    own = subtree(parents, caller.org_units) if not everything else set(parents)
    if org_unit is None:
        return None if everything else sorted(own)
    if org_unit not in own:
        raise NotFound(f"There is no unit {org_unit}.")
    return sorted(subtree(parents, [org_unit]))


def _shown(pile: Pile, now: datetime) -> dict[str, object]:
    oldest = pile.oldest_opened_at
    return {
        "open": pile.open,
        "breached": pile.breached,
        "escalated": pile.escalated,
        "unattended": pile.unattended,
        "paused": pile.paused,
        "oldest_opened_at": oldest,
        "oldest_days": None if oldest is None else (now - oldest).days,
    }


def _figures(one: Standing) -> dict[str, object]:
    heard = share(one.in_time, one.respondents - one.pending)
    return {
        "respondents": one.respondents,
        "pending": one.pending,
        "in_time": one.in_time,
        "late": one.late,
        "without_case": one.without_case,
        "n": heard.n,
        "share": None if heard.value is None else f"{heard.value:.6f}",
        "ci95": None if heard.ci95 is None else tuple(f"{bound:.6f}" for bound in heard.ci95),
    }
