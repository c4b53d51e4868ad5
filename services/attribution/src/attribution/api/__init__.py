"""HTTP in, use case, HTTP out; one file an idea."""

from attribution.api import (
    accounts,
    assignments,
    attributions,
    directory_import,
    disputes,
    employees,
    interactions,
    org_units,
    rules,
    unmatched,
)

ROUTES = [
    org_units.routes,
    employees.routes,
    assignments.routes,
    accounts.routes,
    directory_import.routes,
    rules.routes,
    interactions.routes,
    attributions.routes,
    unmatched.routes,
    disputes.routes,
]
