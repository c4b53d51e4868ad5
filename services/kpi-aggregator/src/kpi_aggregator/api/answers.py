"""The answers behind one person's figures, for the services that explain them."""

import msgspec
from fastapi import Response

from fairloop.auth import Role, roles
from fairloop.web import Routes, Session, Slug
from kpi_aggregator.api.asked import AskedDays
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.service.answers import answers_naming

routes = Routes(tag="kpis")


@routes.get("/v1/kpis/{kpi}/employee/{id}/answers", allow=roles(Role.ADMIN, Role.SERVICE))
async def get_answers(kpi: Kpi, id: Slug, session: Session, days: AskedDays) -> Response:
    """What a snapshot of these days would hold of the responses that name this employee."""
    items = await answers_naming(session, kpi, id, days)
    return Response(msgspec.json.encode({"items": items, "next": None}), media_type="application/json")
