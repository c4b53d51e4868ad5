"""What sets off which use case."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service import responses
from attribution.service.attribute import Moment
from attribution.settings import AttributionSettings
from fairloop.clock import Clock
from fairloop.events import SurveyResponse
from fairloop.service import Handlers


def build_handlers(settings: AttributionSettings, clock: Clock) -> Handlers:
    """The map from events to use cases."""

    async def on_responses(session: AsyncSession, events: Sequence[SurveyResponse]) -> None:
        await responses.receive(session, events, at=Moment(clock(), settings.zone))

    return {SurveyResponse: on_responses}
