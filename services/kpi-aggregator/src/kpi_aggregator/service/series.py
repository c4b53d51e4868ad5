"""One figure over time."""

from sqlalchemy.ext.asyncio import AsyncSession

from kpi_aggregator.domain.complement import hidden_parts
from kpi_aggregator.domain.figure import Figure, figure, suppressed_beside
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.series import Step, steps
from kpi_aggregator.domain.sums import NOTHING
from kpi_aggregator.service.buckets import sums_by_day
from kpi_aggregator.service.kpi_settings import load_settings


async def read_series(
    session: AsyncSession, kpi: str, scope: Scope, days: Days, *, step: Step
) -> list[Figure]:
    """A figure for every step, shrunk towards the published prior. Raises PeriodError.

    The whole range can be asked for too, so that steps beside a small one are hidden where they would tell it.
    """
    cut = steps(days, step)
    settings = await load_settings(session, kpi)
    by_day = await sums_by_day(session, kpi, scope, days)
    sums = [NOTHING] * len(cut)
    place = 0
    for day in sorted(by_day):
        while day not in cut[place]:
            place += 1
        sums[place] = sums[place].plus(by_day[day])
    hidden = hidden_parts({place: one.n for place, one in enumerate(sums)}, min_n=settings.min_n)
    shown = [
        figure(kpi, scope, one, of, prior=settings.prior, min_n=settings.min_n)
        for one, of in zip(cut, sums, strict=True)
    ]
    return [suppressed_beside(one) if place in hidden else one for place, one in enumerate(shown)]
