"""The service bonus: plans, runs, and payouts that explain themselves."""

from bonus.api import ROUTES
from bonus.handlers import build_handlers
from bonus.service.recovering import recovery
from bonus.service.runs import republish
from bonus.settings import BonusSettings
from bonus.tables import Base
from fairloop.process import run
from fairloop.service import Service

service = Service(
    name="bonus",
    package="bonus",
    settings=BonusSettings,
    metadata=Base.metadata,
    routes=ROUTES,
    handlers=build_handlers,
    recovery=recovery,
    republish=republish,
)

if __name__ == "__main__":
    run(service)
