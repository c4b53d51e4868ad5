"""Journeys as they are put, and read with their figures."""

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.errors import NotFound
from kpi_aggregator.domain.journey import Journey, JourneyFigures, journey_figures
from kpi_aggregator.domain.period import Days
from kpi_aggregator.service.buckets import sums_of_some
from kpi_aggregator.service.kpi_settings import load_settings
from kpi_aggregator.tables import JourneyRow

_SAVE = """
INSERT INTO journey (id, name, touchpoints) VALUES ($1, $2, $3::text[])
ON CONFLICT (id) DO UPDATE SET name = excluded.name, touchpoints = excluded.touchpoints
"""


async def save_journey(session: AsyncSession, journey: Journey) -> None:
    await sql(session, _SAVE, journey.id, journey.name, list(journey.touchpoints))


async def load_journey(session: AsyncSession, id: str) -> Journey:
    """Raises NotFound."""
    row = await session.get(JourneyRow, id)
    if row is None:
        raise NotFound(f"There is no journey {id}.")
    return Journey(row.id, row.name, tuple(row.touchpoints))


async def read_journey(session: AsyncSession, kpi: str, journey: Journey, days: Days) -> JourneyFigures:
    """One statement for all touchpoints."""
    settings = await load_settings(session, kpi)
    summed = await sums_of_some(session, kpi, "touchpoint", journey.touchpoints, view="all", days=days)
    return journey_figures(kpi, journey, days, summed.sums, settings)
