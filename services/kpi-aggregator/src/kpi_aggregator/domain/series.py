"""A figure over time: one range of days cut into steps."""

from datetime import date, timedelta
from typing import Literal

from kpi_aggregator.domain.period import Days, PeriodError, following_month

Step = Literal["day", "week", "month"]
MOST_STEPS = 400


def steps(days: Days, step: Step) -> list[Days]:
    """Days, weeks from Monday or calendar months, the first and the last as far as they lie in the range.

    PeriodError when there are too many.
    """
    cut: list[Days] = []
    start = days.start
    while start < days.end:
        if len(cut) == MOST_STEPS:
            raise PeriodError("step", f"at most {MOST_STEPS} steps: ask for a shorter range or longer steps")
        end = min(_end(start, step), days.end)
        cut.append(Days(start, end))
        start = end
    return cut


def _end(start: date, step: Step) -> date:
    if step == "month":
        return following_month(start)
    return start + timedelta(days=1 if step == "day" else 7 - start.weekday())
