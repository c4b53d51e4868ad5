"""A digest: what closed-loop knows in one transaction, then figures and names of other services, then composed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.case import Case
from closed_loop.domain.composing import Wanted, compose
from closed_loop.domain.digest import (
    COMPARED,
    Ageing,
    Digest,
    Facts,
    Kind,
    Notice,
    OpenCase,
    Praise,
    ProgrammeFacts,
    TeamFacts,
)
from closed_loop.domain.routing import subtree
from closed_loop.service.asking import figures, people
from closed_loop.service.cases import case_of
from closed_loop.service.directory import load_parents
from closed_loop.service.positions import Position, position_of
from closed_loop.service.recognitions import never_recognised
from closed_loop.settings import ClosedLoopSettings
from closed_loop.tables import CaseRow, NotificationRow
from closed_loop.tables_told import RecognitionRow
from fairloop.auth import Caller, Role
from fairloop.db import sql
from fairloop.errors import Forbidden, Invalid, NotFound
from fairloop.service import Runtime

_OPEN = ("new", "assigned", "acknowledged", "contacted")
_SHOWN = 20
_AGEING = """
SELECT count(*) FILTER (WHERE opened_at > $2::timestamptz - interval '1 day') AS under_1_day,
  count(*) FILTER (WHERE opened_at <= $2 - interval '1 day' AND opened_at > $2 - interval '3 days') AS under_3_days,
  count(*) FILTER (WHERE opened_at <= $2 - interval '3 days' AND opened_at > $2 - interval '7 days') AS under_7_days,
  count(*) FILTER (WHERE opened_at <= $2 - interval '7 days') AS older,
  count(*) FILTER (WHERE breached) AS breached
FROM customer_case WHERE org_unit = ANY($1::text[]) AND status NOT IN ('resolved', 'closed')
"""
_CAUSES = """
SELECT cause, count(*) AS cases FROM customer_case, jsonb_array_elements_text(state -> 'causes') AS cause
WHERE org_unit = ANY($1::text[]) AND opened_at >= $2 AND opened_at < $3 GROUP BY cause
"""
_PROMISES = """
SELECT clock ->> 'kind' AS kind, clock ->> 'state' AS state, count(*) AS cases
FROM customer_case, jsonb_array_elements(state -> 'clocks') AS clock
WHERE opened_at >= $1 AND opened_at < $2 AND NOT (state ->> 'erased')::boolean GROUP BY 1, 2
"""
_PROGRAMME = """
SELECT (SELECT count(*) FROM customer_case WHERE opened_at >= $1 AND opened_at < $2) AS opened,
  (SELECT count(*) FROM customer_case WHERE status NOT IN ('resolved', 'closed')) AS still_open,
  (SELECT count(*) FROM recognition WHERE at >= $1 AND at < $2) AS recognitions
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """Whose digest of which kind, and which days it tells of; `leads` narrowed to what the reader may see."""

    position: Position
    kind: Kind
    starts: date
    ends: date


async def read_digest(
    runtime: Runtime, employee: str, *, kind: Kind | None, caller: Caller, now: datetime
) -> Digest:
    """The digest of the last seven days, today included. Raises NotFound, Forbidden, Invalid, Unavailable."""
    today = now.astimezone(runtime.settings.zone).date()
    async with runtime.db.begin() as session:
        position = await position_of(session, employee, today=today)
        seen = await _as_seen_by(session, caller, position)
        if seen is None:
            raise NotFound(f"There is no digest of {employee}.")
        reading = Reading(
            seen, _kind(seen, position, kind), today - timedelta(days=6), today + timedelta(days=1)
        )
        facts = await load_facts(session, reading, now=now, zone=runtime.settings.zone)
    return await finish(runtime, facts, now=now)


async def finish(runtime: Runtime, facts: Facts, *, now: datetime) -> Digest:
    """Facts with figures and names. Raises Unavailable."""
    found = await figures(runtime.peers, Wanted(facts).all)
    digest = compose(facts, found, link=link_base(runtime.settings), now=now)
    known = await people(runtime.peers, _named(facts))
    return replace(digest, names={id: person.name for id, person in known.items()})


async def load_facts(session: AsyncSession, reading: Reading, *, now: datetime, zone: ZoneInfo) -> Facts:
    """What closed-loop itself knows for it."""
    position = reading.position
    since, until = (datetime.combine(day, time(), zone) for day in (reading.starts, reading.ends))
    month = datetime.combine(reading.ends - COMPARED, time(), zone)
    team = programme = None
    if reading.kind != "employee":
        team = await _team(
            session, position, since=since, until=until, month=month, now=now, zone=zone, reading=reading
        )
    if reading.kind == "executive":
        programme = await _programme(session, month, until)
    mine = select(RecognitionRow).where(RecognitionRow.recipient == position.employee)
    return Facts(
        employee=position.employee,
        kind=reading.kind,
        starts=reading.starts,
        ends=reading.ends,
        own_units=tuple(sorted(position.units)),
        cases=await _open_cases(session, CaseRow.owner == position.employee),
        notices=await _notices(session, position),
        praise=[
            _praise(row)
            for row in await session.scalars(
                mine.where(RecognitionRow.at >= since, RecognitionRow.at < until).order_by(RecognitionRow.at)
            )
        ],
        team=team,
        programme=programme,
    )


def kind_of(position: Position) -> Kind:
    """The fullest digest somebody's position gives."""
    if position.whole:
        return "executive"
    return "manager" if position.leads else "employee"


def link_base(settings: ClosedLoopSettings) -> str:
    """What links begin with."""
    return settings.link_base_url.rstrip("/") or f"http://{settings.host}:{settings.port}"


async def _as_seen_by(session: AsyncSession, caller: Caller, position: Position | None) -> Position | None:
    """The position with what it leads narrowed to what the caller's roles may see; None for another's digest."""
    if position is None or caller.has(Role.ADMIN):
        return position
    below = subtree(await load_parents(session), caller.org_units) if caller.has(Role.MANAGER) else set()
    if caller.employee_id == position.employee:
        leads = position.leads & below
        return replace(position, leads=leads, whole=position.whole and leads == position.leads)
    if position.units.isdisjoint(below):
        return None
    return replace(position, leads=frozenset(), whole=False)


def _kind(seen: Position, held: Position | None, wanted: Kind | None) -> Kind:
    order: tuple[Kind, ...] = ("employee", "manager", "executive")
    most = kind_of(seen)
    if wanted is None or order.index(wanted) <= order.index(most):
        return wanted or most
    if held is not None and order.index(wanted) <= order.index(kind_of(held)):
        raise Forbidden(f"The {wanted} digest tells of more than your role may see.")
    raise Invalid(f"{seen.employee} has no {wanted} digest.", pointer="/query/kind")


async def _team(
    session: AsyncSession,
    position: Position,
    *,
    since: datetime,
    until: datetime,
    month: datetime,
    now: datetime,
    zone: ZoneInfo,
    reading: Reading,
) -> TeamFacts:
    units = sorted(position.leads)
    (ageing,) = await sql(session, _AGEING, units, now)
    causes = await sql(session, _CAUSES, units, month, until)
    praise = select(RecognitionRow).where(
        RecognitionRow.org_unit.in_(units), RecognitionRow.at >= since, RecognitionRow.at < until
    )
    missed = await never_recognised(
        session, position.leads, start=reading.ends - COMPARED, end=reading.ends, zone=zone
    )
    return TeamFacts(
        units=tuple(sorted(position.units & position.leads)),
        ageing=Ageing(**dict(ageing)),
        oldest=await _open_cases(session, CaseRow.org_unit.in_(units)),
        causes={row.cause: row.cases for row in causes},
        praise=[
            _praise(row)
            for row in await session.scalars(praise.order_by(RecognitionRow.at))
            if row.recipient != position.employee
        ],
        never_recognised=[one.employee for one in missed if one.employee != position.employee][:_SHOWN],
    )


async def _programme(session: AsyncSession, start: datetime, end: datetime) -> ProgrammeFacts:
    (counts,) = await sql(session, _PROGRAMME, start, end)
    promises = await sql(session, _PROMISES, start, end)
    return ProgrammeFacts(
        opened=counts.opened,
        still_open=counts.still_open,
        promises={(row.kind, row.state): row.cases for row in promises},
        recognitions=counts.recognitions,
    )


async def _open_cases(session: AsyncSession, condition: ColumnElement[bool]) -> list[OpenCase]:
    """The oldest first."""
    statement = (
        select(CaseRow)
        .where(condition, CaseRow.status.in_(_OPEN))
        .order_by(CaseRow.opened_at, CaseRow.id)
        .limit(_SHOWN)
    )
    return [_open_case(case_of(row)) for row in await session.scalars(statement)]


async def _notices(session: AsyncSession, position: Position) -> list[Notice]:
    """What they, or as who leads it their unit, were told and have not seen, but for thanks and the cases they own,
    which the digest tells of itself."""
    recipients = [position.employee, *(f"org_unit:{unit}" for unit in position.units & position.leads)]
    statement = (
        select(NotificationRow)
        .where(
            NotificationRow.recipient.in_(recipients),
            NotificationRow.read_at.is_(None),
            NotificationRow.subject_type != "recognition",
            (NotificationRow.case_id.is_(None)) | (NotificationRow.kind.startswith("fyi")),
        )
        .order_by(NotificationRow.id.desc())
        .limit(_SHOWN)
    )
    return [
        Notice(row.kind, row.subject_type, row.subject_id or str(row.case_id))
        for row in await session.scalars(statement)
    ]


def _open_case(case: Case) -> OpenCase:
    running = [clock for clock in case.clocks if clock.state == "running" and clock.due_at is not None]
    following = min(running, key=lambda clock: clock.due_at or case.opened_at, default=None)
    return OpenCase(
        case.id,
        case.track,
        case.owner,
        case.opened_at,
        case.breached,
        following.kind if following else None,
        following.due_at if following else None,
    )


def _praise(row: RecognitionRow) -> Praise:
    return Praise(row.id, row.kind, row.recipient, row.giver, row.cause, row.text, row.at)


def _named(facts: Facts) -> set[str]:
    """The people a digest mentions."""
    praise: Sequence[Praise] = [*facts.praise, *(facts.team.praise if facts.team else ())]
    mentioned = {facts.employee, *(one.recipient for one in praise), *(one.giver for one in praise)}
    if facts.team:
        mentioned |= {*facts.team.never_recognised, *(case.owner for case in facts.team.oldest)}
    return {one for one in mentioned if one is not None and not one.startswith("org_unit:")}
