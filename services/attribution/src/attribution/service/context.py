"""Loads what a batch of responses is attributed by: one statement, whatever the batch's size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.assignments import Assignment
from attribution.domain.decision import Interaction, Response, Upheld
from attribution.domain.disputes import Claim, upheld_among
from attribution.domain.interactions import TookPart
from attribution.domain.rules import Rules
from attribution.domain.taxonomy import ChosenCause
from attribution.service.kept_rules import FINGERPRINT, rules_of_fingerprint
from fairloop.db import Row, sql
from fairloop.events import AttributionResult, InteractionFacts, ResponseFacts

_facts = msgspec.json.Decoder(ResponseFacts)
_result = msgspec.json.Decoder(AttributionResult)
_participants = msgspec.json.Decoder(tuple[TookPart, ...])
_assignments = msgspec.json.Decoder(tuple[Assignment, ...])
_claims = msgspec.json.Decoder(tuple[Claim, ...])

_KNOWN = f"""
SELECT r.response_id, r.version, r.facts::text, r.customer, r.interaction_ref, r.link_signed, r.erased, r.deleted,
       r.looks_for, held.payload::text AS result,
       i.id AS interaction, i.occurred_at, i.customer AS interaction_customer, i.org_unit, i.touchpoint,
       i.participants::text,
       (SELECT json_agg(a)::text FROM assignment a WHERE a.employee = ANY(i.employees)) AS assignments,
       (SELECT json_agg(d)::text FROM (SELECT employee, kind, state FROM dispute
         WHERE dispute.response_id = r.response_id AND state = 'upheld') d) AS upheld,
       ({FINGERPRINT}) AS rules
FROM response r
LEFT JOIN result held ON held.response_id = r.response_id AND held.version = r.result_version
LEFT JOIN interaction i ON i.id = r.looks_for
WHERE r.response_id = ANY($1::uuid[]) ORDER BY r.response_id
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A response in its newest revision, what belongs to it, and the attribution that is held for it."""

    response_id: UUID
    version: int
    facts: ResponseFacts
    customer: str | None
    deleted: bool
    result: AttributionResult | None
    response: Response
    interaction: Interaction | None
    interaction_facts: InteractionFacts | None
    upheld: Upheld


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a batch's decisions rest on."""

    responses: Sequence[Known]
    rules: Rules


async def load_context(session: AsyncSession, response_ids: Sequence[UUID], *, zone: ZoneInfo) -> Context:
    """What is known of these responses, in the order of their ids. The caller holds their rows and the rules."""
    rows = await sql(session, _KNOWN, response_ids)
    if not rows:
        return Context((), Rules({}, (), {}))
    rules = await rules_of_fingerprint(session, rows[0].rules)
    return Context([_known(row, zone) for row in rows], replace(rules, assignments=_by_employee(rows)))


def _known(row: Row, zone: ZoneInfo) -> Known:
    facts = _facts.decode(row.facts)
    known_interaction = row.interaction is not None
    return Known(
        response_id=row.response_id,
        version=row.version,
        facts=facts,
        customer=row.customer,
        deleted=row.deleted,
        result=_result.decode(row.result) if row.result is not None else None,
        response=Response(
            survey_type=facts.survey_type,
            retracted=row.erased or row.deleted,
            customer=row.customer,
            looks_for=row.looks_for,
            link_vouches=row.link_signed and row.looks_for == row.interaction_ref,
            taxonomy=facts.taxonomy,
            causes=tuple(ChosenCause(cause.level1, cause.level2) for cause in facts.causes),
        ),
        interaction=_interaction(row, zone) if known_interaction else None,
        interaction_facts=_interaction_facts(row) if known_interaction else None,
        upheld=upheld_among(_claims.decode(row.upheld) if row.upheld is not None else ()),
    )


def _interaction(row: Row, zone: ZoneInfo) -> Interaction:
    return Interaction(
        id=row.interaction,
        day=row.occurred_at.astimezone(zone).date(),
        customer=row.interaction_customer,
        participants=_participants.decode(row.participants),
    )


def _interaction_facts(row: Row) -> InteractionFacts:
    return InteractionFacts(
        id=row.interaction, occurred_at=row.occurred_at, org_unit=row.org_unit, touchpoint=row.touchpoint
    )


def _by_employee(rows: Sequence[Row]) -> Mapping[str, Sequence[Assignment]]:
    """The assignments of everybody who took part in one of the interactions."""
    found = {
        one.id: one
        for text in {row.assignments for row in rows if row.assignments}
        for one in _assignments.decode(text)
    }
    by_employee: dict[str, list[Assignment]] = {}
    for one in found.values():
        by_employee.setdefault(one.employee, []).append(one)
    return by_employee
