"""What to watch about the figures: how soon they know an answer, and how much they can be trusted with."""

import math
import time
from collections.abc import Iterable
from datetime import datetime

from prometheus_client import Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.service import Runtime
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.peers import prior_for
from kpi_aggregator.domain.period import DEFAULT_WINDOW, rolling
from kpi_aggregator.domain.trust import DECILES, trust
from kpi_aggregator.service.buckets import sums_of_all
from kpi_aggregator.service.coverage import asked_by_organisation
from kpi_aggregator.service.kpi_settings import load_settings

COUNTED = Histogram(
    "fairloop_answer_counted_seconds",
    "From when survey-intake received an answer to when it was first in the figures.",
    buckets=(0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 21600),
)
ASKED = Gauge(
    "fairloop_coverage_interactions",
    "Interactions of the last 90 days whose customer could be asked (eligible), was asked (sent), answered.",
    ("stage",),
)
PEOPLE = Gauge(
    "fairloop_employee_figures",
    "Employees with answers in the last 90 days, by whether their influenced figure is shown or suppressed.",
    ("kpi", "state"),
)
RELIABILITY = Gauge(
    "fairloop_employee_reliability",
    "Deciles of the reliability of the shown figures of employees, 0 to 1; NaN with fewer than five of them.",
    ("kpi", "quantile"),
)


def tell_counted(received: Iterable[datetime]) -> None:
    """Answers are in the figures, committed, as of now."""
    now = time.time()
    for at in received:
        COUNTED.observe(max(0.0, now - at.timestamp()))


async def measure_trust(session: AsyncSession, runtime: Runtime) -> None:
    """Of the last 90 days, over the whole organisation: no name and no figure of anybody."""
    days = rolling(DEFAULT_WINDOW, runtime.clock().astimezone(runtime.settings.zone).date())
    asked = await asked_by_organisation(session, days)
    for stage in ("eligible", "sent", "answered"):
        ASKED.labels(stage).set(getattr(asked, stage))
    for kpi in SCALES:
        settings = await load_settings(session, kpi)
        sums = (await sums_of_all(session, kpi, "employee", view="influenced", days=days)).sums.values()
        found = trust(sums, prior=prior_for(kpi, sums, settings), kpi=kpi, min_n=settings.min_n)
        PEOPLE.labels(kpi, "shown").set(found.shown)
        PEOPLE.labels(kpi, "suppressed").set(found.suppressed)
        for quantile, reliability in zip(DECILES, found.reliability, strict=True):
            RELIABILITY.labels(kpi, f"{quantile / 10}").set(math.nan if reliability is None else reliability)
