"""Attributions as the log tells them: what was published is in force again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service.attribute import Moment, attribute
from attribution.service.recovered_facts import keep_disputes, keep_interactions
from attribution.tables import ResponseRow
from fairloop.db import sql
from fairloop.events import AttributionResult
from fairloop.outbox import publish
from fairloop.published import Published

_KEEP = """
INSERT INTO result (response_id, version, made_at, payload)
SELECT response_id, version, made_at, payload
FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::jsonb[]) AS new (response_id, version, made_at, payload)
ON CONFLICT (response_id, version) DO UPDATE SET made_at = excluded.made_at, payload = excluded.payload
"""
_HELD = "SELECT response_id, version, payload::text FROM result WHERE response_id = ANY($1::uuid[])"

_decoder = msgspec.json.Decoder(AttributionResult)

Told = tuple[AttributionResult, datetime]
"""A result and when it was made."""


async def take(session: AsyncSession, events: Sequence[Published], *, at: Moment) -> int:
    """The versions that the log has and the database has not, or has otherwise.

    A database that has derived further versions since the restore publishes the log's result once more, above
    them; a response that is newer than the log's result is attributed anew. Of an erased response nothing of
    before comes back.
    """
    told = [(one.event, one.at) for one in events if isinstance(one.event, AttributionResult)]
    ids = sorted({result.response_id for result, _ in told})
    responses = await _responses(session, ids)
    held = {(row[0], row[1]): _decoder.decode(row[2]) for row in await sql(session, _HELD, ids)}
    news: dict[tuple[UUID, int], Told] = {}
    for result, made_at in told:
        response = responses.get(result.response_id)
        gone = response is not None and response.erased and result.status != "erased"
        if not gone and held.get((result.response_id, result.version)) != result:
            news[result.response_id, result.version] = result, made_at
    await _keep(session, list(news.values()))
    newest = {id: news[id, version] for id, version in sorted(news)}
    await keep_interactions(session, [result for result, _ in newest.values()])
    await keep_disputes(session, newest.values())
    again = await _put_in_force(session, newest, responses)
    await _keep(session, [(result, at.now) for result in again])
    await publish(session, again)
    outdated = [id for id, (result, _) in newest.items() if responses[id].version > result.response_version]
    await attribute(session, outdated, at=at)
    return len(newest)


async def _responses(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, ResponseRow]:
    query = select(ResponseRow).where(ResponseRow.response_id.in_(ids)).order_by(ResponseRow.response_id)
    return {row.response_id: row for row in await session.scalars(query.with_for_update())}


async def _keep(session: AsyncSession, told: Sequence[Told]) -> None:
    """As versions of the history; one that was only derived here gives way."""
    if told:
        await sql(
            session,
            _KEEP,
            [result.response_id for result, _ in told],
            [result.version for result, _ in told],
            [made_at for _, made_at in told],
            [msgspec.json.encode(result).decode() for result, _ in told],
        )


async def _put_in_force(
    session: AsyncSession, newest: Mapping[UUID, Told], responses: dict[UUID, ResponseRow]
) -> list[AttributionResult]:
    """Those that have to be published again; `responses` gets the rows that were not there."""
    again: list[AttributionResult] = []
    for id, (result, _) in newest.items():
        if id not in responses:
            responses[id] = _known_by(result)
            session.add(responses[id])
        response = responses[id]
        _look_for(response, result)
        if response.version > result.response_version and response.result_version > result.version:
            continue
        version = result.version
        if response.result_version > version:
            version = response.result_version + 1
            again.append(replace(result, version=version))
        response.result_version, response.status = version, result.status
    await session.flush()
    return again


def _known_by(result: AttributionResult) -> ResponseRow:
    """A response that has not been read from its own topic yet; any version of it will replace this."""
    interaction = None if result.interaction is None else result.interaction.id
    return ResponseRow(
        response_id=result.response_id,
        version=0,
        facts=msgspec.to_builtins(result.response),
        customer=result.customer,
        interaction_ref=interaction,
        link_signed=False,
        erased=result.status == "erased" and not result.deleted,
        deleted=result.deleted,
        taxonomy=result.response.taxonomy,
        looks_for=interaction,
        result_version=0,
    )


def _look_for(response: ResponseRow, result: AttributionResult) -> None:
    """What a person had matched by hand is matched again."""
    if result.status not in {"matched", "unmatched"}:
        return
    matched = None if result.interaction is None else result.interaction.id
    if matched != response.looks_for:
        response.looks_for, response.decided = matched, True
