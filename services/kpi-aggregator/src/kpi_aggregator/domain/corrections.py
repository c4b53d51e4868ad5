"""What has changed since figures were frozen."""

from collections.abc import Mapping, Set
from typing import Literal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from kpi_aggregator.domain.frozen import FrozenContribution

ChangeKind = Literal["revised", "reattributed", "added", "removed"]
Contributions = Mapping[UUID, FrozenContribution]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How one response differs from what was frozen."""

    response_id: UUID
    kind: ChangeKind
    before: FrozenContribution | None
    after: FrozenContribution | None


def corrected(
    before: Contributions, today: Contributions, erased: Set[UUID]
) -> dict[UUID, FrozenContribution]:
    """The facts of the frozen period as known today. A response erased since stays as it was frozen."""
    kept = {response_id: before[response_id] for response_id in before.keys() & erased}
    return {**today, **kept}


def changes(before: Contributions, after: Contributions) -> list[Change]:
    """Every response whose facts differ, by response id; a new version of the same facts is no change.

    "revised": another score or other causes; "reattributed": the same answer counts for other people or units.
    """
    found = (_change(rid, before.get(rid), after.get(rid)) for rid in sorted(before.keys() | after.keys()))
    return [change for change in found if change is not None]


def _change(
    response_id: UUID, before: FrozenContribution | None, after: FrozenContribution | None
) -> Change | None:
    kind: ChangeKind
    if before is None:
        kind = "added"
    elif after is None:
        kind = "removed"
    elif replace(before, version=after.version, segments=before.segments or after.segments) == after:
        return None  # snapshots of earlier releases have no segments
    elif (before.score, before.causes) != (after.score, after.causes):
        kind = "revised"
    else:
        kind = "reattributed"
    return Change(response_id=response_id, kind=kind, before=before, after=after)
