"""Published by kpi-aggregator."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from fairloop.events.model import EventData


class KpiSnapshot(EventData, frozen=True, kw_only=True, gc=False):
    """A frozen set of figures exists: its content never changes, `content_hash` proves it (always version 1)."""

    type: ClassVar[str] = "kpi.snapshot.v1"
    topic: ClassVar[str] = "kpi.snapshot.v1"

    snapshot_id: UUID
    kpi: str
    period_from: date
    period_to: date  # exclusive
    content_hash: str

    @property
    def key(self) -> str:
        return str(self.snapshot_id)
