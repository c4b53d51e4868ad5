"""Attribution results applied: contributions replaced by version, buckets moved by exactly the difference."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import Row, once_committed, sql
from fairloop.events import TOPICS, AttributionResult
from fairloop.log.partitioner import partition_of
from kpi_aggregator.domain.contribution import Contribution, Entry, NamedCause, Participant, units_of
from kpi_aggregator.domain.fold import Buckets, Placed, add, changed, take
from kpi_aggregator.metrics import tell_counted
from kpi_aggregator.service.buckets import add_buckets, bucket_columns
from kpi_aggregator.service.stored import decoded
from kpi_aggregator.service.tree import HOLD_TREE, load_lines
from kpi_aggregator.service.versions import newest

_encoder = msgspec.json.Encoder()

_HELD = f"""
WITH tree AS MATERIALIZED ({HOLD_TREE}),
locked AS MATERIALIZED (
  SELECT c.response_id, c.version, c.shard, c.body FROM (SELECT count(*) FROM tree) AS held, contribution c
  WHERE c.response_id = ANY($1::uuid[]) ORDER BY c.response_id FOR UPDATE OF c
)
SELECT response_id, version, shard, body FROM (SELECT count(*) FROM tree) AS held LEFT JOIN locked ON true
"""
"""Holds the tree whether or not anything is held of the responses: then it answers one row of nothing."""

_SAVE = f"""
WITH saved AS (
  INSERT INTO contribution AS held (response_id, version, shard, state, day, units, interaction, body)
  SELECT response_id, version, shard, state, day, string_to_array(units, ' '), interaction, body
  FROM unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::text[], $5::date[], $6::text[], $7::text[], $8::bytea[])
    AS new (response_id, version, shard, state, day, units, interaction, body)
  ON CONFLICT (response_id) DO UPDATE
  SET version = excluded.version, state = excluded.state, day = excluded.day, units = excluded.units,
      interaction = excluded.interaction, body = excluded.body
  WHERE held.version < excluded.version
)
{add_buckets(first=9)}
"""


async def apply_results(session: AsyncSession, events: Sequence[AttributionResult]) -> None:
    """Replace what each response brought by its newest version; versions held or passed change nothing."""
    batch = newest(events)
    held = await _hold(session, [event.response_id for event in batch])
    newer = [e for e in batch if e.response_id not in held or held[e.response_id].version < e.version]
    if not newer:
        return
    changes = [_change(event, held.get(event.response_id)) for event in newer]
    placed = [one for change in changes for one in (change.before, change.after) if one is not None]
    tree = await load_lines(session, {unit for one in placed for unit in units_of(one.contribution)})
    buckets: Buckets = {}
    for change in changes:
        if change.before is not None:
            take(buckets, change.before, tree)
        if change.after is not None:
            add(buckets, change.after, tree)
    rows = [_row(change) for change in changes]
    await sql(session, _SAVE, *map(list, zip(*rows, strict=True)), *bucket_columns(changed(buckets)))
    new = [one.event for one in changes if one.after is not None and one.event.response_id not in held]
    once_committed(session, partial(tell_counted, [event.response.received_at for event in new]))


class _Change(NamedTuple):
    """What an event does: what the response brought until now, and what it brings from now on."""

    event: AttributionResult
    shard: int
    before: Placed | None
    after: Placed | None


async def _hold(session: AsyncSession, response_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """What is held of these responses, locked; from here on the tree stays as it is."""
    rows = await sql(session, _HELD, response_ids)
    return {row.response_id: row for row in rows if row.response_id is not None}


def _change(event: AttributionResult, held: Row | None) -> _Change:
    shard = shard_of(event.response_id) if held is None else held.shard
    before = None if held is None or held.body is None else Placed(decoded(held.body), shard)
    contribution = contribution_of(event)
    return _Change(event, shard, before, None if contribution is None else Placed(contribution, shard))


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


def _row(change: _Change) -> tuple[object, ...]:
    event, shard = change.event, change.shard
    if change.after is None:
        state = "deleted" if event.deleted else "erased"
        return event.response_id, event.version, shard, state, None, "", None, None
    after = change.after.contribution
    units = " ".join(sorted(units_of(after)))
    interaction = None if event.interaction is None else event.interaction.id
    body = _encoder.encode(after)
    return event.response_id, event.version, shard, "counted", after.day, units, interaction, body
