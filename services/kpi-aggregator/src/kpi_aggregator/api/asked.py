"""Which days and which view a question about figures means."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query, Request

from fairloop.errors import Invalid
from fairloop.web import Now
from kpi_aggregator.domain.period import Days, PeriodError, asked_days
from kpi_aggregator.settings import KpiAggregatorSettings


async def _days(
    *,
    request: Request,
    now: Now,
    window: Annotated[str | None, Query(description="a number of days, such as 90d (the default)")] = None,
    period: Annotated[str | None, Query(description="2026, 2026Q1 or 2026-03")] = None,
    from_: Annotated[date | None, Query(alias="from")] = None,
    to: Annotated[date | None, Query(description="exclusive")] = None,
    as_of: Annotated[date | None, Query(description="the window's last day; today by default")] = None,
) -> Days:
    settings: KpiAggregatorSettings = request.app.state.runtime.settings
    today = now.astimezone(settings.zone).date()
    try:
        return asked_days(window=window, period=period, start=from_, end=to, as_of=as_of, today=today)
    except PeriodError as error:
        raise Invalid(str(error), pointer=f"/query/{error.field}") from error


AskedDays = Annotated[Days, Depends(_days)]
