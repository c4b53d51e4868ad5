"""What an organisation sets per KPI."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from fairloop.auth import EVERYBODY, Role, roles
from fairloop.web import Answer, Body, Listing, Paging, Routes, Session
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.domain.reliability import Prior
from kpi_aggregator.domain.settings import DEFAULTS, KpiSettings
from kpi_aggregator.service.kpi_settings import load_settings, save_settings

routes = Routes(tag="kpi-settings")

Points = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class PriorIn(Body):
    """What is expected before anybody answered, in the KPI's points; used with fewer than ten peers."""

    mean: Points
    sd_between: Spread
    sd_within: Spread


class KpiSettingsIn(Body):
    """What is left out gets its default."""

    prior: PriorIn | None = None
    min_n: int = Field(default=5, ge=1, le=1000)


class PriorOut(Answer):
    """As set."""

    mean: float
    sd_between: float
    sd_within: float


class KpiSettingsOut(Answer):
    """What holds for a KPI."""

    kpi: Kpi
    prior: PriorOut
    min_n: int


def _out(kpi: Kpi, settings: KpiSettings) -> KpiSettingsOut:
    return KpiSettingsOut(kpi=kpi, prior=PriorOut.model_validate(settings.prior), min_n=settings.min_n)


@routes.put("/v1/kpi-settings/{kpi}", allow=roles(Role.ADMIN))
async def put_settings(kpi: Annotated[Kpi, Path()], body: KpiSettingsIn, session: Session) -> KpiSettingsOut:
    """Set them; figures change at once, frozen ones never."""
    prior = DEFAULTS[kpi].prior
    if body.prior is not None:
        prior = Prior(body.prior.mean, body.prior.sd_between, body.prior.sd_within)
    settings = KpiSettings(prior, body.min_n)
    await save_settings(session, kpi, settings)
    return _out(kpi, settings)


@routes.get("/v1/kpi-settings/{kpi}", allow=EVERYBODY)
async def get_settings(kpi: Kpi, session: Session) -> KpiSettingsOut:
    """What was set, else the defaults."""
    return _out(kpi, await load_settings(session, kpi))


@routes.get("/v1/kpi-settings", allow=EVERYBODY)
async def list_settings(session: Session, page: Paging) -> Listing[KpiSettingsOut]:
    """Those of every KPI: one page."""
    kpis: tuple[Kpi, ...] = ("ces", "csat", "nps")
    return Listing[KpiSettingsOut](items=[_out(kpi, await load_settings(session, kpi)) for kpi in kpis])
