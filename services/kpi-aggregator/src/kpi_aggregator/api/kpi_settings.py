"""What an organisation sets per KPI."""

from typing import Annotated

from fastapi import Path
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.auth import EVERYBODY, Role, roles
from fairloop.web import Answer, Body, Listing, Paging, Routes, Session
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.domain.reliability import Prior
from kpi_aggregator.domain.settings import DEFAULTS, KpiSettings
from kpi_aggregator.domain.shift import ShiftSettings
from kpi_aggregator.service.kpi_settings import load_settings, load_shift_settings, save_settings

routes = Routes(tag="kpi-settings")

Points = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class PriorIn(Body):
    """What is expected before anybody answered, in the KPI's points; used with fewer than ten peers."""

    mean: Points
    sd_between: Spread
    sd_within: Spread


class ShiftIn(Body):
    """When a unit's or cause's rolling figure counts as moved: |z| of a window against the one before it."""

    z: float = Field(default=ShiftSettings().z, ge=1.96, le=10)
    window_days: int = Field(default=ShiftSettings().window_days, ge=7, le=365)


class KpiSettingsIn(Body):
    """What is left out gets its default."""

    prior: PriorIn | None = None
    min_n: int = Field(default=5, ge=1, le=1000)
    shift: ShiftIn = ShiftIn()


class PriorOut(Answer):
    """As set."""

    mean: float
    sd_between: float
    sd_within: float


class ShiftOut(Answer):
    """As set."""

    z: float
    window_days: int


class KpiSettingsOut(Answer):
    """What holds for a KPI."""

    kpi: Kpi
    prior: PriorOut
    min_n: int
    shift: ShiftOut


def _out(kpi: Kpi, settings: KpiSettings, shift: ShiftSettings) -> KpiSettingsOut:
    return KpiSettingsOut(
        kpi=kpi,
        prior=PriorOut.model_validate(settings.prior),
        min_n=settings.min_n,
        shift=ShiftOut.model_validate(shift),
    )


async def _load(session: AsyncSession, kpi: Kpi) -> KpiSettingsOut:
    return _out(kpi, await load_settings(session, kpi), await load_shift_settings(session, kpi))


@routes.put("/v1/kpi-settings/{kpi}", allow=roles(Role.ADMIN))
async def put_settings(kpi: Annotated[Kpi, Path()], body: KpiSettingsIn, session: Session) -> KpiSettingsOut:
    """Set them; figures change at once, frozen ones never."""
    prior = DEFAULTS[kpi].prior
    if body.prior is not None:
        prior = Prior(body.prior.mean, body.prior.sd_between, body.prior.sd_within)
    settings, shift = KpiSettings(prior, body.min_n), ShiftSettings(body.shift.z, body.shift.window_days)
    await save_settings(session, kpi, settings, shift)
    return _out(kpi, settings, shift)


@routes.get("/v1/kpi-settings/{kpi}", allow=EVERYBODY)
async def get_settings(kpi: Kpi, session: Session) -> KpiSettingsOut:
    """What was set, else the defaults."""
    return await _load(session, kpi)


@routes.get("/v1/kpi-settings", allow=EVERYBODY)
async def list_settings(session: Session, page: Paging) -> Listing[KpiSettingsOut]:
    """Those of every KPI: one page."""
    kpis: tuple[Kpi, ...] = ("ces", "csat", "nps")
    return Listing[KpiSettingsOut](items=[await _load(session, kpi) for kpi in kpis])
