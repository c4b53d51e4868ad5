"""What requests mean beyond their own words."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Request

from bonus.settings import BonusSettings
from fairloop.web import Now


async def _today(request: Request, now: Now) -> date:
    settings: BonusSettings = request.app.state.runtime.settings
    return now.astimezone(settings.zone).date()


Today = Annotated[date, Depends(_today)]
"""The local date of the request."""
