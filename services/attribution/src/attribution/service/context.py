"""Loads what a batch of responses is attributed by: a fixed number of queries, whatever the batch's size."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.assignments import Assignment
from attribution.domain.decision import Interaction, Response, Upheld
from attribution.domain.disputes import Claim, upheld_among
from attribution.domain.interactions import TookPart
from attribution.domain.matrix import InfluenceMatrix
from attribution.domain.rules import Rules, rules_of
from attribution.domain.shares import MILLION
from attribution.domain.taxonomy import ChosenCause, Leaf, Taxonomy, TopCause
from attribution.tables import AssignmentRow, DisputeRow, MatrixRow, TaxonomyRow
from fairloop.db import Row, sql
from fairloop.events import AttributionResult, InteractionFacts, ResponseFacts

_NOBODY = Upheld()
_facts = msgspec.json.Decoder(ResponseFacts)
_result = msgspec.json.Decoder(AttributionResult)
_participants = msgspec.json.Decoder(tuple[TookPart, ...])


@dataclass(frozen=True, slots=True)
class KnownResponse:
    """A response in its newest revision and the attribution that is held for it."""

    response_id: UUID
    version: int
    facts: ResponseFacts
    customer: str | None
    deleted: bool
    result: AttributionResult | None
    response: Response


@dataclass(frozen=True, slots=True)
class KnownInteraction:
    facts: InteractionFacts
    interaction: Interaction


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a batch's decisions rest on."""

    responses: Sequence[KnownResponse]
    interactions: dict[str, KnownInteraction]
    rules: Rules
    upheld: dict[UUID, Upheld]

    def interaction(self, known: KnownResponse) -> KnownInteraction | None:
        return self.interactions.get(known.response.looks_for or "")

    def upheld_for(self, known: KnownResponse) -> Upheld:
        return self.upheld.get(known.response_id, _NOBODY)


async def load_context(session: AsyncSession, response_ids: Sequence[UUID], *, zone: ZoneInfo) -> Context:
    """Lock these responses, in the order of their ids, and load what belongs to them."""
    responses = await _responses(session, response_ids)
    wanted = {known.response.looks_for for known in responses if known.response.looks_for is not None}
    interactions = await _interactions(session, sorted(wanted), zone=zone)
    employees = {one.employee for known in interactions.values() for one in known.interaction.participants}
    return Context(
        responses=responses,
        interactions=interactions,
        rules=await _rules(session, sorted(employees)),
        upheld=await _upheld(session, response_ids),
    )


async def _responses(session: AsyncSession, ids: Sequence[UUID]) -> list[KnownResponse]:
    await sql(
        session,
        "SELECT 1 FROM response WHERE response_id = ANY($1::uuid[]) ORDER BY response_id FOR UPDATE",
        ids,
    )
    rows = await sql(
        session,
        "SELECT r.response_id, r.version, r.facts::text, r.customer, r.interaction_ref, r.link_signed, r.erased,"
        " r.deleted, r.looks_for, held.payload::text"
        " FROM response r LEFT JOIN result held"
        " ON held.response_id = r.response_id AND held.version = r.result_version"
        " WHERE r.response_id = ANY($1::uuid[]) ORDER BY r.response_id",
        ids,
    )
    return [_known_response(row) for row in rows]


def _known_response(row: Row) -> KnownResponse:
    facts = _facts.decode(row.facts)
    return KnownResponse(
        response_id=row.response_id,
        version=row.version,
        facts=facts,
        customer=row.customer,
        deleted=row.deleted,
        result=_result.decode(row.payload) if row.payload is not None else None,
        response=Response(
            survey_type=facts.survey_type,
            retracted=row.erased or row.deleted,
            customer=row.customer,
            looks_for=row.looks_for,
            link_vouches=row.link_signed and row.looks_for == row.interaction_ref,
            taxonomy=facts.taxonomy,
            causes=tuple(ChosenCause(cause.level1, cause.level2) for cause in facts.causes),
        ),
    )


async def _interactions(
    session: AsyncSession, ids: Sequence[str], *, zone: ZoneInfo
) -> dict[str, KnownInteraction]:
    if not ids:
        return {}
    rows = await sql(
        session,
        "SELECT id, occurred_at, customer, org_unit, touchpoint, participants::text FROM interaction"
        " WHERE id = ANY($1::text[])",
        ids,
    )
    return {row.id: _known_interaction(row, zone) for row in rows}


def _known_interaction(row: Row, zone: ZoneInfo) -> KnownInteraction:
    return KnownInteraction(
        facts=InteractionFacts(
            id=row.id, occurred_at=row.occurred_at, org_unit=row.org_unit, touchpoint=row.touchpoint
        ),
        interaction=Interaction(
            id=row.id,
            day=row.occurred_at.astimezone(zone).date(),
            customer=row.customer,
            participants=_participants.decode(row.participants),
        ),
    )


async def _rules(session: AsyncSession, employees: Sequence[str]) -> Rules:
    taxonomies = (await session.execute(select(TaxonomyRow.id, TaxonomyRow.causes))).all()
    matrices = (
        await session.execute(select(MatrixRow.id, MatrixRow.taxonomy, MatrixRow.valid_from, MatrixRow.cells))
    ).all()
    assignments = await session.scalars(select(AssignmentRow).where(AssignmentRow.employee.in_(employees)))
    return rules_of(
        [taxonomy_of(id, causes) for id, causes in taxonomies],
        [_matrix(*row) for row in matrices],
        [
            Assignment(row.id, row.employee, row.role, row.org_unit, row.valid_from, row.valid_to)
            for row in assignments
        ],
    )


def taxonomy_of(id: str, causes: Sequence[dict[str, Any]]) -> Taxonomy:
    """The rule's view of a taxonomy as it was put."""
    return Taxonomy(
        id,
        tuple(
            TopCause(
                top["id"],
                top.get("process_owner"),
                tuple(Leaf(leaf["id"], leaf.get("process_owner")) for leaf in top.get("children", ())),
            )
            for top in causes
        ),
    )


def _matrix(id: str, taxonomy: str, valid_from: date, cells: Sequence[dict[str, Any]]) -> InfluenceMatrix:
    return InfluenceMatrix(
        id,
        taxonomy,
        valid_from,
        {(cell["role"], cell["cause"]): _millionths(cell["influence"]) for cell in cells},
    )


@lru_cache  # a matrix has many cells and few different values
def _millionths(influence: str) -> int:
    """ "0.25" → 250000; six decimals are all there are."""
    return int(Decimal(influence) * MILLION)


async def _upheld(session: AsyncSession, response_ids: Sequence[UUID]) -> dict[UUID, Upheld]:
    rows = await session.execute(
        select(DisputeRow.response_id, DisputeRow.employee, DisputeRow.kind).where(
            DisputeRow.response_id.in_(response_ids), DisputeRow.state == "upheld"
        )
    )
    claims: defaultdict[UUID, list[Claim]] = defaultdict(list)
    for response_id, employee, kind in rows:
        claims[response_id].append(Claim(employee, kind, "upheld"))
    return {response_id: upheld_among(those) for response_id, those in claims.items()}
