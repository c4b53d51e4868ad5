"""The tree of org units at rest. Whoever counts shares it; whoever changes it has it alone."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import OrgUnit
from kpi_aggregator.domain.fold import Buckets, Placed, add, changed, take
from kpi_aggregator.domain.tree import Tree
from kpi_aggregator.service.buckets import save_buckets
from kpi_aggregator.service.stored import chunks_naming
from kpi_aggregator.service.versions import newest

_TREE_LOCK = 0x4B50_4954_5245

HOLD_TREE = f"SELECT pg_advisory_xact_lock_shared({_TREE_LOCK})"
"""The tree stays as it is until the transaction ends."""

_LINES = """
WITH RECURSIVE line (unit) AS (
  SELECT unnest($1::text[])
  UNION SELECT above.parent FROM line JOIN org_unit AS above ON above.org_unit = unit WHERE above.parent IS NOT NULL
)
SELECT u.org_unit, u.parent FROM org_unit AS u WHERE u.org_unit IN (SELECT unit FROM line)
"""

_SAVE = """
INSERT INTO org_unit AS held (org_unit, version, parent)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
ON CONFLICT (org_unit) DO UPDATE SET version = excluded.version, parent = excluded.parent
"""


async def load_tree(session: AsyncSession) -> Tree:
    """The tree as committed."""
    return Tree({row[0]: row[1] for row in await sql(session, "SELECT org_unit, parent FROM org_unit")})


async def load_lines(session: AsyncSession, units: Collection[str]) -> Tree:
    """The part of the tree above these units. Who counts by it executes HOLD_TREE before."""
    if not units:
        return Tree({})
    return Tree({row[0]: row[1] for row in await sql(session, _LINES, list(units))})


async def change_tree(session: AsyncSession, events: Sequence[OrgUnit]) -> None:
    """Describe org units. Where the tree moves, every response that names a moved unit is counted anew."""
    await sql(session, "SELECT pg_advisory_xact_lock($1)", _TREE_LOCK)
    rows = await sql(session, "SELECT org_unit, version, parent FROM org_unit")
    versions = {row.org_unit: row.version for row in rows}
    newer = [event for event in newest(events) if versions.get(event.org_unit, 0) < event.version]
    if not newer:
        return
    before = Tree({row.org_unit: row.parent for row in rows})
    after = Tree({**before.parents, **{event.org_unit: event.parent for event in newer}})
    await sql(
        session,
        _SAVE,
        [event.org_unit for event in newer],
        [event.version for event in newer],
        [event.parent for event in newer],
    )
    await _count_anew(session, before, after)


async def _count_anew(session: AsyncSession, before: Tree, after: Tree) -> None:
    moved = before.moved(after)
    if not moved:
        return
    async for chunk in chunks_naming(session, moved):
        buckets: Buckets = {}
        for contribution, shard in chunk:
            take(buckets, Placed(contribution, shard), before)
            add(buckets, Placed(contribution, shard), after)
        await save_buckets(session, changed(buckets))
