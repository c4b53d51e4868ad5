"""What is learnt of the organisation moves the cases nobody has acted on to where they belong."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.case import Case
from closed_loop.domain.follow_up import Situation, settle_owner
from closed_loop.service.cases import case_of, save
from closed_loop.service.directory import change_directory, load_directory
from closed_loop.service.documents import load_hours
from closed_loop.tables import CaseRow

E = TypeVar("E")
Store = Callable[[AsyncSession, Sequence[E]], Awaitable[bool]]

_PAGE = 500


async def learn(
    session: AsyncSession, events: Sequence[E], store: Store[E], *, now: datetime, zone: tzinfo
) -> None:
    """Store directory facts and settle again, in the same transaction, who owns what nobody has acted on."""
    await change_directory(session)
    changed = await store(session, events)
    cases = await _routable(session, after=None) if changed else []
    while cases:
        dispatched = any(case.route == "dispatch" for case in cases)
        directory = await load_directory(
            session, [case.circumstances for case in cases], with_load=dispatched
        )
        if dispatched:
            directory = replace(directory, hours=await load_hours(session))
        situation = Situation(rules=(), terms={}, directory=directory, now=now, zone=zone)
        changes = [(case, settle_owner(case, situation)) for case in cases]
        await save(session, [change for case, change in changes if change.case != case])
        cases = await _routable(session, after=cases[-1].id)


async def _routable(session: AsyncSession, *, after: UUID | None) -> list[Case]:
    """The next page of cases nobody has acted on, locked in the order of their ids."""
    statement = select(CaseRow).where(CaseRow.routable).order_by(CaseRow.id).limit(_PAGE).with_for_update()
    if after is not None:
        statement = statement.where(CaseRow.id > after)
    return [case_of(row) for row in await session.scalars(statement)]
