"""Events of one batch → the use cases they set off."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.events import EventData
from fairloop.service import Handlers


async def dispatch(session: AsyncSession, handlers: Handlers, events: Iterable[EventData]) -> None:
    """Hand each type's events to its handler, in their order; types nobody handles are passed over.

    Different types of one batch have no order between them, as topics have none: handlers store what they
    cannot use yet and derive again when the rest arrives.
    """
    by_type: dict[type[EventData], list[EventData]] = {}
    for event in events:
        by_type.setdefault(type(event), []).append(event)
    for event_type, batch in by_type.items():
        handler = handlers.get(event_type)
        if handler is not None:
            await handler(session, batch)
