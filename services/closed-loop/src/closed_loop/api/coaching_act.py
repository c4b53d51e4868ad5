"""Who is acting on coaching, with what they may see."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Request

from closed_loop.service.coaching import Act
from closed_loop.service.people import people_sight
from closed_loop.settings import ClosedLoopSettings
from fairloop.web import Caller, Now, Session


async def _today(request: Request, now: Now) -> date:
    settings: ClosedLoopSettings = request.app.state.runtime.settings
    return now.astimezone(settings.zone).date()


Today = Annotated[date, Depends(_today)]
"""The local date of the request."""


async def _act(session: Session, caller: Caller, now: Now, today: Today) -> Act:
    return Act(caller, await people_sight(session, caller, today), now, today)


Acting = Annotated[Act, Depends(_act)]
