"""Rules, policies and calendars: stored as documents in versions, read back as what the domain knows."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.alerts import AlertRule
from closed_loop.domain.calendar import Calendar, calendar
from closed_loop.domain.lifecycle import Terms
from closed_loop.domain.sla import SlaPolicy
from closed_loop.tables import AlertRuleDocument, CalendarDocument, SlaPolicyDocument

D = TypeVar("D", AlertRuleDocument, SlaPolicyDocument, CalendarDocument)


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


async def current_rules(session: AsyncSession) -> list[AlertRule]:
    """All alert rules, by id."""
    rows = (await session.scalars(newest(AlertRuleDocument).order_by(AlertRuleDocument.id))).all()
    return [rule_of(row) for row in rows]


async def current_terms(session: AsyncSession, policy_ids: Iterable[str]) -> dict[str, Terms]:
    """Policy id → the versions of policy and calendar a case opened now starts under."""
    policies = await _newest_of(session, SlaPolicyDocument, policy_ids)
    calendars = await _newest_of(session, CalendarDocument, {row.document["calendar"] for row in policies})
    by_id = {row.id: row for row in calendars}
    return {row.id: _terms(row, by_id[row.document["calendar"]]) for row in policies}


async def calendar_version(session: AsyncSession, id: str, version: int) -> Calendar:
    """A calendar as it was when a case began to count by it."""
    return calendar_of(await session.get_one(CalendarDocument, (id, version)))


def rule_of(row: AlertRuleDocument) -> AlertRule:
    """The rule a document describes."""
    return msgspec.convert({**row.document, "id": row.id, "version": row.version}, AlertRule)


def calendar_of(row: CalendarDocument) -> Calendar:
    """The calendar a document describes."""
    given = msgspec.convert(row.document, _GivenCalendar)
    return calendar(given.timezone, given.weekly, given.holidays)


class _GivenCalendar(msgspec.Struct):
    timezone: str
    weekly: dict[str, list[tuple[str, str]]]
    holidays: list[date]


async def _newest_of(session: AsyncSession, table: type[D], ids: Iterable[str]) -> Sequence[D]:
    return (await session.scalars(newest(table).where(table.id.in_(set(ids))))).all()


def _terms(policy: SlaPolicyDocument, calendar_row: CalendarDocument) -> Terms:
    return Terms(
        policy_id=policy.id,
        policy_version=policy.version,
        policy=msgspec.convert(policy.document, SlaPolicy),
        calendar_version=calendar_row.version,
        calendar=calendar_of(calendar_row),
    )
