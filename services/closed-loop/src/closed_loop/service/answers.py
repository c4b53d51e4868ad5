"""Responses with their attribution: open the cases the alert rules ask for, keep open ones true, close erased ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.alerts import Answer, Value
from closed_loop.domain.case import Case, Change, ScoresGiven
from closed_loop.domain.follow_up import Situation, concerns, follow_up, with_one_more
from closed_loop.domain.lifecycle import Revision
from closed_loop.domain.routing import Circumstances, Directory, owning_unit
from closed_loop.service.cases import lock_cases_of, save
from closed_loop.service.directory import hold_directory, load_directory
from closed_loop.service.documents import current_rules, current_terms
from closed_loop.tables import ResponseSeen
from fairloop.db import sql
from fairloop.events import AttributionResult

_SEEN = """
INSERT INTO response_seen (response_id, version) SELECT * FROM unnest($1::uuid[], $2::bigint[])
ON CONFLICT (response_id) DO UPDATE SET version = excluded.version
WHERE response_seen.version < excluded.version
"""


async def follow_up_answers(
    session: AsyncSession, events: Sequence[AttributionResult], *, now: datetime, zone: tzinfo
) -> None:
    """Every version counts, in order: an answer that was a detractor's for a moment has had its case."""
    news = await _unseen(session, events)
    if not news:
        return
    await hold_directory(session)
    cases: dict[UUID, dict[str, Case]] = {event.response_id: {} for event in news}
    for case in await lock_cases_of(session, list(cases)):
        cases[case.response_id][case.alert_rule] = case
    revisions = [revision_of(event) for event in news]
    situation = await _situation(session, revisions, cases, now=now, zone=zone)
    changes: list[Change] = []
    for revision in revisions:
        held = cases[revision.response_id]
        for change in follow_up(revision, held, situation):
            if change.case.alert_rule not in held:
                situation = with_one_more(situation, change.case.owner)
            held[change.case.alert_rule] = change.case
            changes.append(change)
    await save(session, changes)
    await _remember(session, news)


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
        "touchpoint": interaction.touchpoint if interaction is not None else None,
        "org_unit": interaction.org_unit if interaction is not None else None,
        **{f"rating.{name}": value for name, value in response.ratings.items()},
        **{f"segment.{name}": value for name, value in response.segments.items()},
    }
    named = [name for cause in response.causes for name in (cause.level1, cause.level2) if name is not None]
    return {field: (value,) for field, value in single.items() if value is not None} | {"cause": tuple(named)}


async def _situation(
    session: AsyncSession,
    revisions: Sequence[Revision],
    cases: Mapping[UUID, Mapping[str, Case]],
    *,
    now: datetime,
    zone: tzinfo,
) -> Situation:
    """What is in force, with the directory as far as these answers' cases need it."""
    rules = await current_rules(session)
    relevant = [one for one in revisions if cases[one.response_id] or concerns(one, rules)]
    directory = Directory()
    if relevant:
        dispatches = any(rule.route == "dispatch" for rule in rules)
        circumstances = [one.circumstances for one in relevant]
        directory = await load_directory(session, circumstances, with_load=dispatches)
    terms = await current_terms(session, {rule.sla_policy for rule in rules}) if relevant else {}
    return Situation(rules=rules, terms=terms, directory=directory, now=now, zone=zone)


async def _unseen(session: AsyncSession, events: Sequence[AttributionResult]) -> list[AttributionResult]:
    """The events that are newer than everything seen of their response, in their order."""
    statement = select(ResponseSeen).where(ResponseSeen.response_id.in_({e.response_id for e in events}))
    seen = {row.response_id: row.version for row in await session.scalars(statement)}
    news: list[AttributionResult] = []
    for event in events:
        if event.version > seen.get(event.response_id, 0):
            seen[event.response_id] = event.version
            news.append(event)
    return news


async def _remember(session: AsyncSession, news: Sequence[AttributionResult]) -> None:
    newest = {event.response_id: event.version for event in news}
    await sql(session, _SEEN, list(newest), list(newest.values()))
