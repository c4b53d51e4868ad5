"""The proof that the buckets are the fold of the contributions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from kpi_aggregator.domain.fold import BucketKey, Buckets, add, by_month, changed
from kpi_aggregator.domain.sums import NOTHING, Sums
from kpi_aggregator.service.stored import all_chunks
from kpi_aggregator.service.tree import load_tree

_SHOWN = 100

_DAYS = f"SELECT kpi, scope_type, scope_id, view, day, shard, {', '.join(Sums._fields)} FROM bucket"
_MONTHS = f"SELECT kpi, scope_type, scope_id, view, month, shard, {', '.join(Sums._fields)} FROM month_bucket"


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
    differences = [
        *_differences(await _held(session, _DAYS), folded, "day"),
        *_differences(await _held(session, _MONTHS), by_month(folded), "month"),
    ]
    return {
        "equal": not differences,
        "responses": responses,
        "buckets": len(folded),
        "differences": differences[:_SHOWN],
    }


async def _held(session: AsyncSession, statement: str) -> Buckets:
    return changed({BucketKey(*row[:6]): Sums(*row[6:]) for row in await sql(session, statement)})


def _differences(held: Buckets, folded: Buckets, grain: str) -> list[dict[str, Any]]:
    """`grain`: what the key's day stands for."""
    differing = sorted(key for key in folded.keys() | held.keys() if folded.get(key) != held.get(key))
    return [
        {
            **key._asdict(),
            "day": key.day.isoformat(),
            "grain": grain,
            "incremental": held.get(key, NOTHING)._asdict(),
            "recomputed": folded.get(key, NOTHING)._asdict(),
        }
        for key in differing
    ]
