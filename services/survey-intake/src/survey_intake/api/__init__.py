"""HTTP in, use case, HTTP out."""

from survey_intake.api import (
    connections,
    customers,
    invitations,
    posting,
    quarantine,
    quotes,
    responses,
    webhooks,
)

ROUTES = [
    connections.routes,
    webhooks.routes,
    posting.routes,
    responses.routes,
    quotes.routes,
    quarantine.routes,
    customers.routes,
    invitations.routes,
]
