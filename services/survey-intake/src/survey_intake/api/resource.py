"""What every route of this service may ask for."""

from typing import Annotated

from fastapi import Depends, Request

from survey_intake.intake import Intake as IntakeResource


async def _intake(request: Request) -> IntakeResource:
    intake: IntakeResource = request.app.state.resource
    return intake


Intake = Annotated[IntakeResource, Depends(_intake)]
