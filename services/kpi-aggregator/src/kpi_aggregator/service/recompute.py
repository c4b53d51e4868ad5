"""The proof that the buckets are the fold of the contributions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from kpi_aggregator.domain.fold import BucketKey, Buckets, add, changed
from kpi_aggregator.domain.sums import NOTHING, Sums
from kpi_aggregator.service.stored import all_chunks
from kpi_aggregator.service.tree import load_tree

_SHOWN = 100

_HELD = f"""
SELECT kpi, scope_type, scope_id, view, day, shard, {", ".join(Sums._fields)} FROM bucket
"""


async def recompute(session: AsyncSession) -> Mapping[str, Any]:
    """Fold every contribution anew and compare, in one consistent view of the database; changes nothing.

    The session must be new: its isolation is set here. The first hundred differences are listed.
    """
    await sql(session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    tree = await load_tree(session)
    folded: Buckets = {}
    responses = 0
    async for chunk in all_chunks(session):
        responses += len(chunk)
        for placed in chunk:
            add(folded, placed, tree)
    folded = changed(folded)
    rows = await sql(session, _HELD)
    held = changed({BucketKey(*row[:6]): Sums(*row[6:]) for row in rows})
    differing = sorted(key for key in folded.keys() | held.keys() if folded.get(key) != held.get(key))
    return {
        "equal": not differing,
        "responses": responses,
        "buckets": len(folded),
        "differences": [_difference(key, held, folded) for key in differing[:_SHOWN]],
    }


def _difference(key: BucketKey, held: Buckets, folded: Buckets) -> dict[str, Any]:
    return {
        **key._asdict(),
        "day": key.day.isoformat(),
        "incremental": held.get(key, NOTHING)._asdict(),
        "recomputed": folded.get(key, NOTHING)._asdict(),
    }
