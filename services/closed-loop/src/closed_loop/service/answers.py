"""Responses with their attribution: open the cases the alert rules ask for, keep open ones true, close erased ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.alerts import Answer, Track, Value, track_of
from closed_loop.domain.case import Case, Change, ScoresGiven
from closed_loop.domain.follow_up import Situation, concerns, follow_up, with_one_more
from closed_loop.domain.lifecycle import Revision
from closed_loop.domain.routing import Circumstances, Directory, owning_unit
from closed_loop.service.cases import save
from closed_loop.service.directory import HOLD, load_directory
from closed_loop.service.documents import IN_FORCE, InForce, in_force
from closed_loop.service.wins import keep_wins
from fairloop.db import sql
from fairloop.events import AttributionResult, Scores

_HELD = f"""
WITH directory AS MATERIALIZED ({HOLD}),
before AS MATERIALIZED (SELECT response_id, version FROM response_seen WHERE response_id = ANY($1::uuid[])),
remembered AS (
  INSERT INTO response_seen (response_id, version, day, track, org_unit)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::date[], $4::text[], $5::text[])
  ON CONFLICT (response_id) DO UPDATE SET version = excluded.version, day = excluded.day, track = excluded.track,
    org_unit = excluded.org_unit
  WHERE response_seen.version < excluded.version
),
locked AS MATERIALIZED (
  SELECT c.state FROM (SELECT count(*) FROM directory) AS held, customer_case c
  WHERE c.response_id = ANY($1::uuid[]) ORDER BY c.id FOR UPDATE OF c
)
SELECT (SELECT coalesce(json_object_agg(response_id, version), '{{}}') FROM before)::text AS seen,
       (SELECT coalesce(json_agg(state), '[]') FROM locked)::text AS cases,
       ({IN_FORCE}) AS documents,
       (SELECT count(*) FROM directory) AS held
"""
"""The directory is held, whether or not there is a case, then the responses' cases are locked in the order of their ids,
as everybody does who locks several. What is new of a response is for its own log partition alone, whose position this
transaction has locked."""

_seen = msgspec.json.Decoder(dict[UUID, int])
_cases = msgspec.json.Decoder(list[Case])
Cases = dict[UUID, dict[str, Case]]


async def follow_up_answers(
    session: AsyncSession, events: Sequence[AttributionResult], *, now: datetime, zone: tzinfo
) -> None:
    """Every version counts, in order: an answer that was a detractor's for a moment has had its case."""
    held = await _hold(session, events)
    news = _unseen(events, held.seen)
    await keep_wins(session, news)
    revisions = [revision_of(event) for event in news]
    situation = await _situation(session, revisions, held, now=now, zone=zone)
    changes: list[Change] = []
    for revision in revisions:
        cases = held.cases[revision.response_id]
        for change in follow_up(revision, cases, situation):
            if change.case.alert_rule not in cases:
                situation = with_one_more(situation, change.case.owner)
            cases[change.case.alert_rule] = change.case
            changes.append(change)
    await save(session, changes)


@dataclass(frozen=True, slots=True)
class _Held:
    """What was there before: versions seen, cases by response and rule (locked), documents in force."""

    seen: Mapping[UUID, int]
    cases: Cases
    documents: InForce


async def _hold(session: AsyncSession, events: Sequence[AttributionResult]) -> _Held:
    """Lock and load what these answers may change, and remember that they were seen."""
    newest: dict[UUID, AttributionResult] = {}
    for event in events:
        held = newest.get(event.response_id)
        if held is None or held.version < event.version:
            newest[event.response_id] = event
    (row,) = await sql(
        session,
        _HELD,
        list(newest),
        [event.version for event in newest.values()],
        [None if event.status == "erased" else event.response.day for event in newest.values()],
        [_class_of(event) for event in newest.values()],
        [None if event.interaction is None else event.interaction.org_unit for event in newest.values()],
    )
    cases: Cases = {response_id: {} for response_id in newest}
    for case in _cases.decode(row.cases):
        cases[case.response_id][case.alert_rule] = case
    return _Held(_seen.decode(row.seen), cases, in_force(row.documents))


def _class_of(event: AttributionResult) -> Track | None:
    nps = event.response.scores.nps
    return None if nps is None else track_of(nps)


def _unseen(events: Sequence[AttributionResult], before: Mapping[UUID, int]) -> list[AttributionResult]:
    """The events that are newer than everything seen of their response, in their order."""
    seen = dict(before)
    news: list[AttributionResult] = []
    for event in events:
        if event.version > seen.get(event.response_id, 0):
            seen[event.response_id] = event.version
            news.append(event)
    return news


def revision_of(event: AttributionResult) -> Revision:
    """What a case needs of an attributed response."""
    scores = event.response.scores
    shares: dict[str, int] = {}
    for entry in event.entries:
        if entry.subject_type == "employee":
            shares[entry.subject_id] = shares.get(entry.subject_id, 0) + entry.share
    took_part = {one.employee for one in event.participants if not one.excluded}
    return Revision(
        response_id=event.response_id,
        version=event.version,
        withdrawn=None if event.status != "erased" else "deleted" if event.deleted else "erased",
        scores=ScoresGiven(nps=scores.nps, csat=scores.csat, ces=scores.ces),
        causes=tuple(cause.level2 or cause.level1 for cause in event.response.causes),
        answer=_answer(event),
        circumstances=Circumstances(
            survey_type=event.response.survey_type,
            customer=event.customer,
            unit=event.interaction.org_unit if event.interaction is not None else None,
            owning_unit=owning_unit((e.subject_type, e.subject_id, e.share) for e in event.entries),
            participants=tuple(sorted(took_part, key=lambda who: (-shares.get(who, 0), who))),
        ),
    )


def _answer(event: AttributionResult) -> Answer:
    response, interaction = event.response, event.interaction
    single: dict[str, Value | None] = {
        "nps": response.scores.nps,
        "csat": response.scores.csat,
        "ces": response.scores.ces,
        "connection": response.connection,
        "survey_id": response.survey_id,
        "survey_type": response.survey_type,
        "language": response.language,
        "has_comment": response.has_comment,
        "has_score": response.scores != Scores(),
        "touchpoint": interaction.touchpoint if interaction is not None else None,
        "org_unit": interaction.org_unit if interaction is not None else None,
        **{f"rating.{name}": value for name, value in response.ratings.items()},
        **{f"segment.{name}": value for name, value in response.segments.items()},
    }
    named = [name for cause in response.causes for name in (cause.level1, cause.level2) if name is not None]
    return {field: (value,) for field, value in single.items() if value is not None} | {
        "cause": tuple(named),
        "rating": tuple(response.ratings.values()),
    }


async def _situation(
    session: AsyncSession, revisions: Sequence[Revision], held: _Held, *, now: datetime, zone: tzinfo
) -> Situation:
    """What is in force, with the directory as far as these answers' cases need it."""
    rules = held.documents.rules
    relevant = [one for one in revisions if held.cases[one.response_id] or concerns(one, rules)]
    directory = Directory()
    if relevant:
        dispatches = any(rule.route == "dispatch" for rule in rules)
        circumstances = [one.circumstances for one in relevant]
        directory = await load_directory(session, circumstances, with_load=dispatches)
        if dispatches:
            directory = replace(directory, hours=held.documents.hours)
    return Situation(rules=rules, terms=held.documents.terms, directory=directory, now=now, zone=zone)
