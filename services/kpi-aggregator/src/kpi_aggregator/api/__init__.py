"""HTTP in, use case, HTTP out; one file an idea."""

from kpi_aggregator.api import coverage, figures, kpi_settings, recompute, snapshots

ROUTES = [coverage.routes, figures.routes, kpi_settings.routes, recompute.routes, snapshots.routes]
