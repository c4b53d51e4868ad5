"""HTTP in, use case, HTTP out."""

from bonus.api.acceptances import routes as acceptances
from bonus.api.goal_export import routes as goal_export
from bonus.api.goal_reviews import routes as goal_reviews
from bonus.api.goals import routes as goals
from bonus.api.inquiries import routes as inquiries
from bonus.api.periods import routes as periods
from bonus.api.plans import routes as plans
from bonus.api.runs import routes as runs
from bonus.api.simulations import routes as simulations
from bonus.api.statements import routes as statements

ROUTES = [
    plans,
    acceptances,
    periods,
    runs,
    statements,
    goal_export,
    goals,
    goal_reviews,
    inquiries,
    simulations,
]
