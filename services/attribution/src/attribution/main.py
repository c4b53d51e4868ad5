"""The attribution service."""

from attribution.api import ROUTES
from attribution.handlers import build_handlers
from attribution.metrics import measure_matching
from attribution.service.reattribution import keep_reattributing
from attribution.service.recovering import recovery
from attribution.service.republish import republish
from attribution.settings import AttributionSettings
from attribution.tables import Base
from fairloop.measuring import now_and_then
from fairloop.process import run
from fairloop.service import Service

service = Service(
    name="attribution",
    package="attribution",
    settings=AttributionSettings,
    metadata=Base.metadata,
    routes=ROUTES,
    handlers=build_handlers,
    background=[keep_reattributing, now_and_then(measure_matching, seconds=60)],
    recovery=recovery,
    republish=republish,
)

if __name__ == "__main__":
    run(service)
