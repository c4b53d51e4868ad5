"""Whole journeys: where on the way customers are lost, readable by everybody."""

from typing import Annotated

from pydantic import Field, field_validator
from sqlalchemy import select

from fairloop.auth import EVERYBODY, Role, roles
from fairloop.web import Answer, Body, Listing, Paging, Routes, Session, Slug, listing
from kpi_aggregator.api.asked import AskedDays
from kpi_aggregator.api.figures import FigureOut, figure_out
from kpi_aggregator.domain.journey import Journey
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.service.journeys import load_journey, read_journey, save_journey
from kpi_aggregator.tables import JourneyRow

routes = Routes(tag="journeys")

Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class JourneyIn(Body):
    """Touchpoints as interactions name them, in the order a customer passes them."""

    name: Line
    touchpoints: Annotated[list[Line], Field(min_length=1, max_length=50)]

    @field_validator("touchpoints")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("a touchpoint stands here twice")
        return value


class JourneyOut(Answer):
    id: str
    name: str
    touchpoints: list[str]


class JourneyFiguresOut(Answer):
    """`touchpoints` in order; `whole` counts the answers about any of them."""

    id: str
    name: str
    touchpoints: list[FigureOut]
    whole: FigureOut


@routes.put("/v1/journeys/{id}", allow=roles(Role.ADMIN, Role.OPS))
async def put_journey(id: Slug, body: JourneyIn, session: Session) -> JourneyOut:
    """Create or replace; figures follow at once, for the past too."""
    await save_journey(session, Journey(id, body.name, tuple(body.touchpoints)))
    return JourneyOut(id=id, name=body.name, touchpoints=body.touchpoints)


@routes.get("/v1/journeys/{id}", allow=EVERYBODY)
async def get_journey(id: Slug, session: Session, days: AskedDays, kpi: Kpi = "nps") -> JourneyFiguresOut:
    """Its figures, touchpoint by touchpoint and as a whole."""
    journey = await load_journey(session, id)
    found = await read_journey(session, kpi, journey, days)
    return JourneyFiguresOut(
        id=journey.id,
        name=journey.name,
        touchpoints=[figure_out(one) for one in found.touchpoints],
        whole=figure_out(found.whole),
    )


@routes.get("/v1/journeys", allow=EVERYBODY)
async def list_journeys(session: Session, page: Paging) -> Listing[JourneyOut]:
    """Those there are."""
    return await listing(
        session, select(JourneyRow), by=[JourneyRow.id], page=page, to=JourneyOut.model_validate
    )
