"""Published by bonus."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from fairloop.events.model import EventData


class BonusRun(EventData, frozen=True, kw_only=True, gc=False):
    """One calculation of one period. Amounts per person are not published; ask the API, which checks who asks."""

    type: ClassVar[str] = "bonus.run.v1"
    topic: ClassVar[str] = "bonus.run.v1"

    run_id: UUID
    period: str
    period_from: date
    period_to: date  # exclusive
    plan: str
    status: Literal["in_review", "superseded", "approved", "paid"]
    inputs_hash: str
    payees: int
    total_minor: int
    currency: str
    plan_version: int | None = None
    snapshots: dict[str, dict[str, str]] = msgspec.field(
        default_factory=dict
    )  # KPI → id and content hash of the frozen facts

    @property
    def key(self) -> str:
        return str(self.run_id)
