"""Survey responses as they arrive, and matching one by hand."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service import locks
from attribution.service.attribute import Moment, attribute
from attribution.tables import InteractionRow, ResponseRow
from fairloop.db import sql
from fairloop.errors import Conflict, Invalid, NotFound
from fairloop.events import SurveyResponse

UNMATCHED = ("pending", "unmatched")

_KEEP_NEWER = f"""
WITH locked AS MATERIALIZED ({locks.SHARED.format(keys="$9")})
INSERT INTO response (response_id, version, facts, customer, interaction_ref, link_signed, erased, deleted,
                      taxonomy, looks_for, decided, status, result_version)
SELECT response_id, version, facts, customer, ref, link_signed, erased, deleted, facts->>'taxonomy', ref, false, '', 0
FROM (SELECT count(*) FROM locked) AS all_locks,
     unnest($1::uuid[], $2::int[], $3::jsonb[], $4::text[], $5::text[], $6::bool[], $7::bool[], $8::bool[])
     AS new (response_id, version, facts, customer, ref, link_signed, erased, deleted)
ORDER BY response_id
ON CONFLICT (response_id) DO UPDATE SET
    version = excluded.version, facts = excluded.facts, customer = excluded.customer,
    interaction_ref = excluded.interaction_ref, link_signed = excluded.link_signed, erased = excluded.erased,
    deleted = excluded.deleted, taxonomy = excluded.taxonomy,
    looks_for = CASE WHEN response.decided THEN response.looks_for ELSE excluded.looks_for END
WHERE response.version < excluded.version
RETURNING response_id
"""
"""Takes the locks first: no row is joined before `locked` is counted. The rows are then locked in the order of their
ids, in their newest state, whatever the statement could see when it began."""


async def receive(session: AsyncSession, events: Sequence[SurveyResponse], *, at: Moment) -> None:
    """Attribute every response that is newer than the one held; versions held or passed change nothing.

    Every version that is news gets its own result, also where one batch brings several of a response: what happens
    next must not depend on how deliveries were batched. A detractor who thought again has been one.
    """
    wanted = locks.to_attribute(e.interaction_ref for e in events if e.interaction_ref is not None)
    for once_each in _versions_apart(events):
        await _receive(session, once_each, wanted, at=at)


async def _receive(
    session: AsyncSession, events: Sequence[SurveyResponse], wanted: Sequence[int], *, at: Moment
) -> None:
    """`events`: one of each response, by id. `wanted`: the locks of the whole batch, before any row's."""
    rows = await sql(
        session,
        _KEEP_NEWER,
        [e.response_id for e in events],
        [e.version for e in events],
        [msgspec.json.encode(e.facts).decode() for e in events],
        [None if e.erased else e.customer for e in events],
        [e.interaction_ref for e in events],
        [e.link_signed for e in events],
        [e.erased for e in events],
        [e.deleted for e in events],
        wanted,
    )
    changed = {row[0] for row in rows}
    await attribute(session, list(changed), at=at)
    await _forget(session, [e for e in events if e.erased and e.response_id in changed])


def _versions_apart(events: Sequence[SurveyResponse]) -> Iterator[list[SurveyResponse]]:
    """The first that arrived of each response, then the second of those that have one, and so on, each by id.

    What is not newer than an earlier one is left out.
    """
    arrived: dict[UUID, list[SurveyResponse]] = {}
    for event in events:
        earlier = arrived.setdefault(event.response_id, [])
        if not earlier or earlier[-1].version < event.version:
            earlier.append(event)
    for place in range(max(map(len, arrived.values()), default=0)):
        yield [arrived[id][place] for id in sorted(arrived) if place < len(arrived[id])]


async def _forget(session: AsyncSession, erased: Sequence[SurveyResponse]) -> None:
    """Of an erased customer nothing stays that was theirs: not in older versions, nor in what was written about it."""
    if not erased:
        return
    ids = [event.response_id for event in erased]
    await sql(
        session,
        "UPDATE result SET payload = payload || jsonb_build_object('customer', NULL, 'response', new.facts)"
        " FROM unnest($1::uuid[], $2::jsonb[]) AS new (response_id, facts)"
        " WHERE result.response_id = new.response_id",
        ids,
        [msgspec.json.encode(event.facts).decode() for event in erased],
    )
    await sql(
        session,
        "UPDATE dispute SET reason = '', decision_reason = NULL WHERE response_id = ANY($1::uuid[])",
        ids,
    )


async def resolve(session: AsyncSession, response_id: UUID, interaction: str, *, at: Moment) -> None:
    """Match a response of the queue by hand. Later revisions of the response keep the match."""
    await locks.attributing(session)
    await locks.looking_for(session, [interaction])
    row = await session.scalar(
        select(ResponseRow).where(ResponseRow.response_id == response_id).with_for_update()
    )
    if row is None:
        raise NotFound(f"No response {response_id}.")
    if row.decided and row.looks_for == interaction:
        return
    if row.status not in UNMATCHED:
        raise Conflict(f"This response is {row.status}; only a pending or unmatched one can be matched.")
    await match_by_decision(session, row, interaction, pointer="/body/interaction")
    await attribute(session, [response_id], at=at)


async def match_by_decision(
    session: AsyncSession, row: ResponseRow, interaction: str | None, *, pointer: str
) -> None:
    """Make a locked response look for the interaction somebody decided on, or for none."""
    if interaction is not None and await session.get(InteractionRow, interaction) is None:
        raise Invalid(f"No interaction {interaction}.", pointer=pointer)
    row.looks_for = interaction
    row.decided = True
    await session.flush()
