"""What is set per KPI."""

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from kpi_aggregator.domain.reliability import Prior
from kpi_aggregator.domain.settings import DEFAULTS, KpiSettings
from kpi_aggregator.domain.shift import ShiftSettings
from kpi_aggregator.tables import KpiSetting


async def load_settings(session: AsyncSession, kpi: str) -> KpiSettings:
    """What was set, else the defaults."""
    rows = await sql(
        session, "SELECT mean, sd_between, sd_within, min_n FROM kpi_setting WHERE kpi = $1", kpi
    )
    if not rows:
        return DEFAULTS[kpi]
    row = rows[0]
    prior = Prior(mean=row.mean, sd_between=row.sd_between, sd_within=row.sd_within)
    return KpiSettings(prior, row.min_n)


async def load_shift_settings(session: AsyncSession, kpi: str) -> ShiftSettings:
    """What was set, else the defaults."""
    rows = await sql(session, "SELECT shift_z, shift_window_days FROM kpi_setting WHERE kpi = $1", kpi)
    return ShiftSettings(rows[0].shift_z, rows[0].shift_window_days) if rows else ShiftSettings()


async def save_settings(session: AsyncSession, kpi: str, settings: KpiSettings, shift: ShiftSettings) -> None:
    """Set them."""
    prior = settings.prior
    await session.merge(
        KpiSetting(
            kpi=kpi,
            mean=prior.mean,
            sd_between=prior.sd_between,
            sd_within=prior.sd_within,
            min_n=settings.min_n,
            shift_z=shift.z,
            shift_window_days=shift.window_days,
        )
    )
