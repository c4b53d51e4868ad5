"""Interactions: jobs, calls, visits, and who took part."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Body as JsonBody
from pydantic import Field, field_validator
from sqlalchemy import select

from attribution.api.asked import WRITERS, At, Line, Settings, keyed
from attribution.domain.interactions import PostedInteraction, TookPart
from attribution.service import interactions
from attribution.settings import AttributionSettings
from attribution.tables import InteractionRow
from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Instant, Listing, Paging, Routes, Session, Slug, listing
from fairloop.web.batches import Item, ItemOutcome, read_batch, read_one

routes = Routes(tag="interactions")

_POSTERS = WRITERS | roles(Role.SERVICE)
_MOST = 1000
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)

Scalar = (
    Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
    | bool
    | int
    | Annotated[float, Field(allow_inf_nan=False)]
    | None
)


class ParticipantIn(Body):
    employee: Slug
    role: Slug
    verified: Annotated[
        bool, Field(description="false: the source is not sure that this person took part")
    ] = True


class InteractionIn(Item):
    occurred_at: Annotated[Instant, Field(ge=_EARLIEST, le=_LATEST)]
    customer_ref: Annotated[str, Field(min_length=1, max_length=256)]
    org_unit: Slug
    touchpoint: Line
    participants: Annotated[list[ParticipantIn], Field(max_length=100)]
    attributes: Annotated[dict[Line, Scalar], Field(max_length=100, default_factory=dict)]

    @field_validator("participants")
    @classmethod
    def _once_per_role(cls, value: list[ParticipantIn]) -> list[ParticipantIn]:
        if len({(one.employee, one.role) for one in value}) < len(value):
            raise ValueError("somebody stands here twice in the same role")
        return value

    def posted(self, settings: AttributionSettings) -> PostedInteraction:
        """The same, with the customer as a keyed hash and the participants in one order."""
        people = sorted(self.participants, key=lambda one: (one.employee, one.role))
        return PostedInteraction(
            id=self.id,
            occurred_at=self.occurred_at.astimezone(UTC),
            customer=keyed(self.customer_ref, settings),
            org_unit=self.org_unit,
            touchpoint=self.touchpoint,
            participants=tuple(TookPart(one.employee, one.role, one.verified) for one in people),
            attributes=self.attributes,
        )


class PostedOut(Answer):
    id: str
    outcome: Literal["accepted", "duplicate", "corrected"]


class OutcomeOut(ItemOutcome):
    """What became of one item of a batch."""

    outcome: Literal["accepted", "duplicate", "corrected", "rejected"]


class OutcomesOut(Answer):
    outcomes: list[OutcomeOut]


@routes.post("/v1/interactions", allow=_POSTERS)
async def post_interactions(
    body: Annotated[dict[str, Any], JsonBody()], session: Session, settings: Settings, at: At
) -> PostedOut | OutcomesOut:
    """One interaction, or `{"interactions": […]}` with up to 1000 of which the good ones are kept.

    The same content again is a `duplicate`; other content under the same id `corrected` it, and every response
    that belongs to it.
    """
    if "interactions" in body:
        return await _post_many(body, session, settings, at)
    item = read_one(body, InteractionIn, name="interaction")
    (outcome,) = await interactions.post(session, [item.posted(settings)], at=at)
    return PostedOut(id=item.id, outcome=outcome)


async def _post_many(
    body: dict[str, Any], session: Session, settings: AttributionSettings, at: At
) -> OutcomesOut:
    batch = read_batch(body, InteractionIn, name="interaction", most=_MOST)
    posted = [item.posted(settings) for item in batch.good.values()]
    outcomes = await interactions.post(session, posted, at=at)
    return OutcomesOut(outcomes=batch.answers(outcomes, OutcomeOut))


class ParticipantOut(Answer):
    employee: str
    role: str
    verified: bool


class InteractionOut(Answer):
    id: str
    occurred_at: datetime
    customer: Annotated[str, Field(description="keyed hash of the customer's reference")]
    org_unit: str
    touchpoint: str
    participants: list[ParticipantOut]
    attributes: dict[str, Any]
    version: int


@routes.get("/v1/interactions/{id}", allow=_POSTERS | roles(Role.ANALYST))
async def get_interaction(id: Slug, session: Session) -> InteractionOut:
    row = await session.get(InteractionRow, id)
    if row is None:
        raise NotFound(f"No interaction {id}.")
    return InteractionOut.model_validate(row)


@routes.get("/v1/interactions", allow=_POSTERS | roles(Role.ANALYST))
async def list_interactions(
    session: Session, page: Paging, org_unit: Slug | None = None, touchpoint: Line | None = None
) -> Listing[InteractionOut]:
    """As they stand; for whoever sent them to compare."""
    query = select(InteractionRow)
    for column, wanted in ((InteractionRow.org_unit, org_unit), (InteractionRow.touchpoint, touchpoint)):
        query = query if wanted is None else query.where(column == wanted)
    return await listing(session, query, by=[InteractionRow.id], page=page, to=InteractionOut.model_validate)
