"""HTTP in, use case, HTTP out."""

from closed_loop.api.action_plans import routes as action_plans
from closed_loop.api.adoption import routes as adoption
from closed_loop.api.behaviours import routes as behaviours
from closed_loop.api.cases import routes as cases
from closed_loop.api.digests import routes as digests
from closed_loop.api.documents import routes as documents
from closed_loop.api.notifications import routes as notifications
from closed_loop.api.observations import routes as observations
from closed_loop.api.oversight import routes as oversight
from closed_loop.api.playbooks import routes as playbooks
from closed_loop.api.recognitions import routes as recognitions
from closed_loop.api.shifts import routes as shifts
from closed_loop.api.training import routes as training
from closed_loop.api.webhooks import routes as webhooks

ROUTES = [
    documents,
    playbooks,
    cases,
    oversight,
    action_plans,
    notifications,
    shifts,
    digests,
    recognitions,
    webhooks,
    behaviours,
    training,
    observations,
    adoption,
]
