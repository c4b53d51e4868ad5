"""Reading attributions as they stand and as they stood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service.visibility import Sight
from fairloop.db import sql
from fairloop.errors import NotFound
from fairloop.events import AttributionResult

_decoder = msgspec.json.Decoder(AttributionResult)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an attribution and when it was made."""

    result: AttributionResult
    made_at: datetime


async def versions(session: AsyncSession, response_id: UUID, *, sight: Sight) -> Sequence[Version]:
    """Every version, oldest first; the last one is in force. Raises NotFound for what the caller may not see."""
    rows = await sql(
        session,
        "SELECT payload::text, made_at FROM result WHERE response_id = $1::uuid ORDER BY version",
        response_id,
    )
    found = [Version(_decoder.decode(payload), made_at) for payload, made_at in rows]
    if not found or not sight.sees_result(found[-1].result):
        raise NotFound(f"No attribution of a response {response_id}.")
    return found
