"""HTTP in, use case, HTTP out; one file an idea."""

from kpi_aggregator.api import (
    answers,
    cause_answers,
    coverage,
    drivers,
    figures,
    journeys,
    kpi_settings,
    leaderboard,
    predictions,
    recompute,
    series,
    shifts,
    snapshots,
)

ROUTES = [
    answers.routes,
    cause_answers.routes,
    coverage.routes,
    figures.routes,
    drivers.routes,
    journeys.routes,
    kpi_settings.routes,
    leaderboard.routes,
    predictions.routes,
    recompute.routes,
    series.routes,
    shifts.routes,
    snapshots.routes,
]
