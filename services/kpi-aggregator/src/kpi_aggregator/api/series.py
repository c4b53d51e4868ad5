"""One figure over time."""

from fairloop.auth import EVERYBODY
from fairloop.errors import Invalid
from fairloop.web import Answer, Caller, Routes, Session
from kpi_aggregator.api.asked import AskedDays
from kpi_aggregator.api.figures import FigureOut, ScopeId, asked_scope, figure_out
from kpi_aggregator.api.reading import check_may_see, tree_for
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.domain.marks import ScopeType, View
from kpi_aggregator.domain.period import PeriodError
from kpi_aggregator.domain.series import Step
from kpi_aggregator.service.series import read_series

routes = Routes(tag="kpis")


class SeriesOut(Answer):
    """Figures of consecutive steps; the first and the last may be cut by the range."""

    step: Step
    items: list[FigureOut]


@routes.get("/v1/kpis/{kpi}/{scope_type}/{id}/series", allow=EVERYBODY)
async def get_series(
    *,
    kpi: Kpi,
    scope_type: ScopeType,
    id: ScopeId,
    session: Session,
    caller: Caller,
    days: AskedDays,
    step: Step = "month",
    view: View = "all",
) -> SeriesOut:
    """Steps with few responses are suppressed, and others where they would tell those. Weeks begin on Monday."""
    scope = asked_scope(scope_type, id, view)
    tree = await tree_for(session, caller, scope)
    await check_may_see(session, caller, scope, days, tree)
    try:
        figures = await read_series(session, kpi, scope, days, step=step)
    except PeriodError as error:
        raise Invalid(str(error), pointer=f"/query/{error.field}") from error
    return SeriesOut(step=step, items=[figure_out(figure) for figure in figures])
