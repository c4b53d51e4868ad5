"""Invitations: whom a survey was or could have been sent to. They say how much of the truth the answers show."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Body as JsonBody
from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import select

from fairloop.auth import Role, roles
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Instant, Listing, Paging, Routes, Session, Slug, listing
from fairloop.web.batches import Item, ItemOutcome, read_batch, read_one
from survey_intake.api.resource import Intake
from survey_intake.domain.invitations import PostedInvitation, Trouble, TroubleKind
from survey_intake.keyring import Keyring
from survey_intake.service import invitations
from survey_intake.tables import InvitationRow

routes = Routes(tag="invitations")

_POSTERS = roles(Role.ADMIN, Role.OPS, Role.SERVICE)
_READERS = _POSTERS | roles(Role.ANALYST)
_MOST = 1000
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)

At = Annotated[Instant, Field(ge=_EARLIEST, le=_LATEST)]


class TroubleIn(Body):
    """Wrong contact data: the invitation bounced, or somebody edited where it goes."""

    kind: TroubleKind
    at: At


class InvitationIn(Item):
    """`eligible_at`: when the customer could first be asked. Post it again when it was sent, or bounced."""

    interaction: Slug
    customer_ref: Annotated[str, Field(min_length=1, max_length=256)]
    channel: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    eligible_at: At
    sent_at: At | None = None
    events: Annotated[list[TroubleIn], Field(max_length=100, default_factory=list)]

    @field_validator("sent_at")
    @classmethod
    def _sent_to_the_eligible(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        eligible_at = info.data.get("eligible_at")
        if value is not None and eligible_at is not None and value < eligible_at:
            raise ValueError("nobody is asked before eligible_at")
        return value

    def posted(self, keyring: Keyring) -> PostedInvitation:
        """The same with the customer as a keyed hash, and the events in one order."""
        troubles = sorted((one.at.astimezone(UTC), one.kind) for one in self.events)
        return PostedInvitation(
            id=self.id,
            interaction=self.interaction,
            customer=keyring.customer(self.customer_ref),
            channel=self.channel,
            eligible_at=self.eligible_at.astimezone(UTC),
            sent_at=None if self.sent_at is None else self.sent_at.astimezone(UTC),
            troubles=tuple(Trouble(kind, at) for at, kind in troubles),
        )


class PostedOut(Answer):
    """`ignored`: the customer is forgotten, or the invitation was taken back before."""

    id: str
    outcome: Literal["accepted", "duplicate", "corrected", "ignored"]


class OutcomeOut(ItemOutcome):
    """What became of one item of a batch."""

    outcome: Literal["accepted", "duplicate", "corrected", "ignored", "rejected"]


class OutcomesOut(Answer):
    outcomes: list[OutcomeOut]


@routes.post("/v1/invitations", allow=_POSTERS)
async def post_invitations(
    body: Annotated[dict[str, Any], JsonBody()], session: Session, intake: Intake
) -> PostedOut | OutcomesOut:
    """One invitation, or `{"invitations": […]}` with up to 1000 of which the good ones are kept.

    The same content again is a `duplicate`; other content under the same id `corrected` it.
    """
    if "invitations" in body:
        return await _post_many(body, session, intake.keyring)
    item = read_one(body, InvitationIn, name="invitation")
    (outcome,) = await invitations.post(session, [item.posted(intake.keyring)], keyring=intake.keyring)
    return PostedOut(id=item.id, outcome=outcome)


async def _post_many(body: dict[str, Any], session: Session, keyring: Keyring) -> OutcomesOut:
    batch = read_batch(body, InvitationIn, name="invitation", most=_MOST)
    posted = [item.posted(keyring) for item in batch.good.values()]
    outcomes = await invitations.post(session, posted, keyring=keyring)
    return OutcomesOut(outcomes=batch.answers(outcomes, OutcomeOut))


class TroubleOut(Answer):
    kind: TroubleKind
    at: datetime


class InvitationOut(Answer):
    """Of a deleted or erased one only times and ids are left."""

    id: str
    status: Literal["active", "deleted", "erased"]
    interaction: str
    channel: str | None
    eligible_at: datetime
    sent_at: datetime | None
    events: list[TroubleOut]
    version: int


def _out(row: InvitationRow) -> InvitationOut:
    state = invitations.told(row)
    return InvitationOut(
        id=row.id,
        status=row.status,
        interaction=row.interaction,
        channel=row.channel,
        eligible_at=row.eligible_at,
        sent_at=row.sent_at,
        events=[TroubleOut.model_validate(one) for one in state.troubles],
        version=row.version,
    )


@routes.get("/v1/invitations/{id}", allow=_READERS)
async def get_invitation(id: Slug, session: Session) -> InvitationOut:
    row = await session.get(InvitationRow, id)
    if row is None:
        raise NotFound(f"There is no invitation {id}.")
    return _out(row)


@routes.get("/v1/invitations", allow=_READERS)
async def list_invitations(
    session: Session, page: Paging, interaction: Slug | None = None
) -> Listing[InvitationOut]:
    query = select(InvitationRow)
    if interaction is not None:
        query = query.where(InvitationRow.interaction == interaction)
    return await listing(session, query, by=[InvitationRow.id], page=page, to=_out)


@routes.delete("/v1/invitations/{id}", allow=roles(Role.ADMIN, Role.OPS))
async def delete(id: Slug, session: Session) -> InvitationOut:
    """A wrong or test invitation: taken back everywhere, and what still comes for it is ignored."""
    return _out(await invitations.delete_invitation(session, id))
