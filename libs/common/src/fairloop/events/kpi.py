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


class KpiShift(EventData, frozen=True, kw_only=True, gc=False):
    """A unit's, a cause's or the organisation's rolling figure moved, from the window before to the last one.

    `z` compares the two, `threshold` is how large |z| had to be. Never of persons, never of fewer than `min_n`
    responses. The id is that of the scope and the window: a shift is told once and never changes (always version 1).
    """

    type: ClassVar[str] = "kpi.shift.v1"
    topic: ClassVar[str] = "kpi.shift.v1"

    shift_id: UUID
    kpi: str
    scope_type: str
    scope_id: str
    view: str
    before_from: date
    window_from: date  # where the window before ends
    window_to: date  # exclusive
    value: float
    before: float
    n: int
    n_before: int
    z: float
    threshold: float

    @property
    def key(self) -> str:
        return str(self.shift_id)
