"""HTTP in, use case, HTTP out."""

from bonus.api.goals import routes as goals
from bonus.api.inquiries import routes as inquiries
from bonus.api.periods import routes as periods
from bonus.api.plans import routes as plans
from bonus.api.runs import routes as runs
from bonus.api.statements import routes as statements

all_routes = (plans, periods, runs, statements, goals, inquiries)
