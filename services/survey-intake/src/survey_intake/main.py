"""survey-intake: takes survey responses in, exactly once, in their newest version."""

from fairloop.process import run
from fairloop.service import Service
from survey_intake.api import ROUTES
from survey_intake.intake import opened
from survey_intake.service.republishing import republish
from survey_intake.settings import IntakeSettings
from survey_intake.tables import Base

service = Service(
    name="survey-intake",
    package="survey_intake",
    settings=IntakeSettings,
    metadata=Base.metadata,
    routes=ROUTES,
    resource=opened,
    republish=republish,
)

if __name__ == "__main__":
    run(service)
