"""Attribution results applied: contributions replaced by version, buckets moved by exactly the difference."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import TOPICS, AttributionResult
from fairloop.log.partitioner import partition_of
from kpi_aggregator.domain.contribution import Contribution, Entry, NamedCause, Participant, units_of
from kpi_aggregator.domain.fold import Buckets, Placed, add, changed, take
from kpi_aggregator.service.buckets import save_buckets
from kpi_aggregator.service.stored import decoded
from kpi_aggregator.service.tree import load_tree_to_count
from kpi_aggregator.service.versions import newest

_encoder = msgspec.json.Encoder()

_HELD = """
SELECT response_id, version, shard, body FROM contribution
WHERE response_id = ANY($1::uuid[]) ORDER BY response_id FOR UPDATE
"""

_SAVE = """
INSERT INTO contribution AS held (response_id, version, shard, state, day, units, body)
SELECT response_id, version, shard, state, day, string_to_array(units, ' '), body
FROM unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::text[], $5::date[], $6::text[], $7::bytea[])
  AS new (response_id, version, shard, state, day, units, body)
ON CONFLICT (response_id) DO UPDATE
SET version = excluded.version, state = excluded.state, day = excluded.day, units = excluded.units,
    body = excluded.body
WHERE held.version < excluded.version
"""


async def apply_results(session: AsyncSession, events: Sequence[AttributionResult]) -> None:
    """Replace what each response brought by its newest version; versions held or passed change nothing."""
    batch = newest(events)
    tree = await load_tree_to_count(session)
    held = {row.response_id: row for row in await sql(session, _HELD, [event.response_id for event in batch])}
    newer = [e for e in batch if e.response_id not in held or held[e.response_id].version < e.version]
    if not newer:
        return
    buckets: Buckets = {}
    rows = []
    for event in newer:
        before, after = held.get(event.response_id), contribution_of(event)
        shard = shard_of(event.response_id) if before is None else before.shard
        if before is not None and before.body is not None:
            take(buckets, Placed(decoded(before.body), shard), tree)
        if after is not None:
            add(buckets, Placed(after, shard), tree)
        rows.append(_row(event, after, shard))
    await sql(session, _SAVE, *map(list, zip(*rows, strict=True)))
    await save_buckets(session, changed(buckets))


def contribution_of(event: AttributionResult) -> Contribution | None:
    """What the event says the response brings; None when it is retracted."""
    if event.status == "erased" or event.deleted:
        return None
    facts, interaction = event.response, event.interaction
    answered = {"nps": facts.scores.nps, "csat": facts.scores.csat, "ces": facts.scores.ces}
    return Contribution(
        response_id=event.response_id,
        version=event.version,
        day=facts.day,
        scores={kpi: score for kpi, score in answered.items() if score is not None},
        causes=msgspec.convert(facts.causes, tuple[NamedCause, ...], from_attributes=True),
        entries=msgspec.convert(event.entries, tuple[Entry, ...], from_attributes=True),
        participants=msgspec.convert(event.participants, tuple[Participant, ...], from_attributes=True),
        interaction_unit=None if interaction is None else interaction.org_unit,
        touchpoint=None if interaction is None else interaction.touchpoint,
        segments=facts.segments,
    )


def shard_of(response_id: UUID) -> int:
    """The log partition of the response's events: what two of them add to is never the same row."""
    return partition_of(str(response_id).encode(), TOPICS[AttributionResult.topic].partitions)


def _row(event: AttributionResult, after: Contribution | None, shard: int) -> tuple[object, ...]:
    if after is None:
        state = "deleted" if event.deleted else "erased"
        return event.response_id, event.version, shard, state, None, "", None
    units = " ".join(sorted(units_of(after)))
    return event.response_id, event.version, shard, "counted", after.day, units, _encoder.encode(after)
