"""HTTP in, use case, HTTP out."""

from survey_intake.api import connections, customers, invitations, posting, quarantine, responses, webhooks

ROUTES = [
    connections.routes,
    webhooks.routes,
    posting.routes,
    responses.routes,
    quarantine.routes,
    customers.routes,
    invitations.routes,
]
