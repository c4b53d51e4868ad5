"""Events → use cases."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.service.answers import follow_up_answers
from closed_loop.service.directory import store_accounts, store_assignments, store_employees, store_org_units
from closed_loop.service.rerouting import Store, learn
from closed_loop.service.shifts import follow_up_shifts
from closed_loop.service.webhooks import tell_of_shifts
from closed_loop.settings import ClosedLoopSettings
from fairloop.clock import Clock
from fairloop.events import Account, Assignment, AttributionResult, Employee, KpiShift, OrgUnit
from fairloop.service import Handler, Handlers

E = TypeVar("E")


def build_handlers(settings: ClosedLoopSettings, clock: Clock) -> Handlers:
    """The handlers of this service."""

    async def on_answers(session: AsyncSession, events: Sequence[AttributionResult]) -> None:
        await follow_up_answers(session, events, now=clock(), zone=settings.zone)

    async def on_shifts(session: AsyncSession, events: Sequence[KpiShift]) -> None:
        await follow_up_shifts(session, events, now=clock())
        await tell_of_shifts(session, events, now=clock())

    def learning(store: Store[E]) -> Handler:
        async def on_facts(session: AsyncSession, events: Sequence[E]) -> None:
            await learn(session, events, store, now=clock(), zone=settings.zone)

        return on_facts

    return {
        AttributionResult: on_answers,
        KpiShift: on_shifts,
        OrgUnit: learning(store_org_units),
        Employee: learning(store_employees),
        Assignment: learning(store_assignments),
        Account: learning(store_accounts),
    }
