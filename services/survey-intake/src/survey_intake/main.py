"""survey-intake: takes survey responses in, exactly once, in their newest version."""

from fairloop.process import run
from fairloop.retention import Retention, days
from fairloop.service import Service
from survey_intake.api import ROUTES
from survey_intake.intake import opened
from survey_intake.service.recovering import recovery
from survey_intake.service.republishing import republish
from survey_intake.settings import IntakeSettings
from survey_intake.tables import Base

RAW = Retention(
    job="raw",
    table="revision",
    key=("response_id", "number"),
    age="response_id",
    by_id=True,
    where="raw IS NOT NULL",
    blank=("raw",),
    keep=lambda settings: days(settings.keep_raw_days),
)
"""Bodies as they came, by the age of their response; facts, texts and the customer stay."""

SETTLED = Retention(
    job="quarantine",
    table="quarantine",
    key=("id",),
    age="settled_at",
    where="status <> 'open'",
    keep=lambda settings: days(settings.keep_quarantine_days),
)

service = Service(
    name="survey-intake",
    package="survey_intake",
    settings=IntakeSettings,
    metadata=Base.metadata,
    routes=ROUTES,
    resource=opened,
    recovery=recovery,
    republish=republish,
    retention=[RAW, SETTLED],
)

if __name__ == "__main__":
    run(service)
