"""closed-loop: gives every unhappy customer an owner and a deadline."""

from closed_loop.api import ROUTES
from closed_loop.handlers import build_handlers
from closed_loop.mailing import mailing
from closed_loop.metrics import measure_timers
from closed_loop.posting import webhooks
from closed_loop.service.cases import republish
from closed_loop.service.recovering import recovery
from closed_loop.settings import ClosedLoopSettings
from closed_loop.tables import Base
from closed_loop.timers import timers
from fairloop.process import run
from fairloop.retention import Retention, days
from fairloop.service import Service

NOTIFICATIONS = Retention(
    job="notification",
    table="notification",
    key=("id",),
    age="at",
    where="(case_id IS NULL OR case_id IN (SELECT id FROM customer_case WHERE status = 'closed'))",
    keep=lambda settings: days(settings.keep_notification_days),
)

WEBHOOKS = Retention(
    job="webhook_delivery",
    table="webhook_delivery",
    key=("id",),
    age="created_at",
    where="state <> 'pending'",
    keep=lambda settings: days(settings.keep_webhook_days),
)

service = Service(
    name="closed-loop",
    package="closed_loop",
    settings=ClosedLoopSettings,
    metadata=Base.metadata,
    routes=ROUTES,
    handlers=build_handlers,
    background=[timers, mailing, webhooks],
    recovery=recovery,
    republish=republish,
    gauges=measure_timers,
    retention=[NOTIFICATIONS, WEBHOOKS],
)

if __name__ == "__main__":
    run(service)
