"""HTTP in, use case, HTTP out; one file an idea."""

from kpi_aggregator.api import (
    coverage,
    drivers,
    figures,
    journeys,
    kpi_settings,
    leaderboard,
    recompute,
    series,
    snapshots,
)

ROUTES = [
    coverage.routes,
    figures.routes,
    drivers.routes,
    journeys.routes,
    kpi_settings.routes,
    leaderboard.routes,
    recompute.routes,
    series.routes,
    snapshots.routes,
]
