"""Rules, policies and calendars: stored as documents in versions, read back as what the domain knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.alerts import AlertRule
from closed_loop.domain.calendar import Calendar, calendar
from closed_loop.domain.lifecycle import Terms
from closed_loop.domain.sla import SlaPolicy
from closed_loop.tables import AlertRuleDocument, CalendarDocument, PlaybookDocument, SlaPolicyDocument
from fairloop.db import sql

D = TypeVar("D", AlertRuleDocument, SlaPolicyDocument, CalendarDocument, PlaybookDocument)

_NEWEST = """
SELECT coalesce(json_agg(one ORDER BY id), '[]')
FROM (SELECT DISTINCT ON (id) id, version, document FROM {table} ORDER BY id, version DESC) AS one
"""
IN_FORCE = f"""
SELECT json_build_object(
  'rules', ({_NEWEST.format(table="alert_rule")}),
  'policies', ({_NEWEST.format(table="sla_policy")}),
  'calendars', ({_NEWEST.format(table="calendar")})
)::text
"""
"""The newest version of every document, for `in_force`."""


@dataclass(frozen=True, slots=True)
class InForce:
    """All alert rules, by id; policy id → the versions of policy and calendar a case opened now starts under; calendars."""

    rules: Sequence[AlertRule]
    terms: Mapping[str, Terms]
    hours: Mapping[str, Calendar]


class _Newest(msgspec.Struct):
    id: str
    version: int
    document: dict[str, Any]


class _NewestDocuments(msgspec.Struct):
    rules: list[_Newest]
    policies: list[_Newest]
    calendars: list[_Newest]


_newest_documents = msgspec.json.Decoder(_NewestDocuments)


def newest(table: type[D]) -> Select[D]:
    """The newest version of every document of one kind."""
    latest = select(table.id, func.max(table.version)).group_by(table.id)
    return select(table).where(func.row(table.id, table.version).in_(latest))


async def put_document(
    session: AsyncSession, table: type[D], id: str, document: dict[str, Any], *, now: datetime
) -> D:
    """Store a new version; the same document again is no new version."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"{table.__tablename__}/{id}", 0)))
    )
    held = await current_document(session, table, id)
    if held is not None and held.document == document:
        return held
    version = held.version + 1 if held is not None else 1
    stored = table(id=id, version=version, document=document, created_at=now)
    session.add(stored)
    await session.flush()
    return stored


async def current_document(session: AsyncSession, table: type[D], id: str) -> D | None:
    """The newest version, if there is any."""
    statement = select(table).where(table.id == id).order_by(table.version.desc()).limit(1)
    return (await session.scalars(statement)).one_or_none()


async def calendar_version(session: AsyncSession, id: str, version: int) -> Calendar:
    """A calendar as it was when a case began to count by it."""
    return calendar_of((await session.get_one(CalendarDocument, (id, version))).document)


async def load_hours(session: AsyncSession) -> dict[str, Calendar]:
    """Every calendar as it is now, by id."""
    rows = await session.scalars(newest(CalendarDocument))
    return {row.id: calendar_of(row.document) for row in rows}


async def documents_in_force(session: AsyncSession) -> InForce:
    """The newest version of every document."""
    (row,) = await sql(session, f"SELECT ({IN_FORCE}) AS documents")
    return in_force(row.documents)


@lru_cache(maxsize=4)
def in_force(text: str) -> InForce:
    """What IN_FORCE answered. The same text is read once, so it costs no more than its comparison."""
    newest = _newest_documents.decode(text)
    calendars = {one.id: (one.version, calendar_of(one.document)) for one in newest.calendars}
    return InForce(
        rules=tuple(rule_of(one) for one in newest.rules),
        hours={id: hours for id, (_, hours) in calendars.items()},
        terms={one.id: _terms(one, *calendars[one.document["calendar"]]) for one in newest.policies},
    )


def rule_of(row: _Newest) -> AlertRule:
    """The rule a document describes."""
    return msgspec.convert({**row.document, "id": row.id, "version": row.version}, AlertRule)


def calendar_of(document: dict[str, Any]) -> Calendar:
    """The calendar a document describes."""
    given = msgspec.convert(document, _GivenCalendar)
    return calendar(given.timezone, given.weekly, given.holidays)


class _GivenCalendar(msgspec.Struct):
    timezone: str
    weekly: dict[str, list[tuple[str, str]]]
    holidays: list[date]


def _terms(policy: _Newest, calendar_version: int, calendar: Calendar) -> Terms:
    return Terms(
        policy_id=policy.id,
        policy_version=policy.version,
        policy=msgspec.convert(policy.document, SlaPolicy),
        calendar_version=calendar_version,
        calendar=calendar,
    )
