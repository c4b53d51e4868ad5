"""What sets off what."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.clock import Clock
from fairloop.events import Assignment, AttributionResult, Employee, Interaction, Invitation, OrgUnit
from fairloop.service import Handlers
from kpi_aggregator.service.contributions import apply_results
from kpi_aggregator.service.directory import save_assignments, save_employees
from kpi_aggregator.service.interactions import save_interactions
from kpi_aggregator.service.invitations import save_invitations
from kpi_aggregator.service.tree import change_tree
from kpi_aggregator.settings import KpiAggregatorSettings


def build_handlers(settings: KpiAggregatorSettings, clock: Clock) -> Handlers:
    """Events → use cases; the settings say which day it was, time plays no part."""

    async def on_interactions(session: AsyncSession, events: Sequence[Interaction]) -> None:
        await save_interactions(session, events, zone=settings.zone)

    async def on_invitations(session: AsyncSession, events: Sequence[Invitation]) -> None:
        await save_invitations(session, events, zone=settings.zone)

    return {
        AttributionResult: apply_results,
        Interaction: on_interactions,
        Invitation: on_invitations,
        OrgUnit: change_tree,
        Employee: save_employees,
        Assignment: save_assignments,
    }
