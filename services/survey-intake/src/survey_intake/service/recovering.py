"""After a restore: responses as the log tells them. Of what was answered, everything but the words is there."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from fairloop.events import Invitation, ResponseFacts, SurveyResponse
from fairloop.outbox import publish
from fairloop.published import Published
from fairloop.service import Recovery, Runtime, Taken
from survey_intake.domain.revisions import Status
from survey_intake.keyring import Keyring
from survey_intake.service import recovered_invitations
from survey_intake.service.erasing import blank, erase_again
from survey_intake.service.publishing import AGAIN, UNKNOWN, facts_in, opened_origin, state_of
from survey_intake.tables import Connection, Customer, Response, Revision

_NO_HASH = (
    b""  # no delivery has it: the same answer delivered again is a new revision and brings its words back
)


async def take(runtime: Runtime, session: AsyncSession, events: Sequence[Published]) -> Taken:
    """Every state of a response that the log knows becomes a revision, unless it is one; a retraction is never taken back.

    The current revision is the newest by the platform's clock, as always. Where that is not what the log said
    last, because deliveries came in after the restore, the response is published again.
    """
    invited = [one.event for one in events if isinstance(one.event, Invitation)]
    changed = await recovered_invitations.take(
        session, invited, now=runtime.clock(), keyring=Keyring.of(runtime.settings)
    )
    told = [one.event for one in events if isinstance(one.event, SurveyResponse)]
    newest = {event.response_id: event for event in told}
    merging = _Merging(session, runtime)
    await merging.load(newest)
    for event in told:
        await merging.add(event)
    await session.flush()
    return Taken(changed + len(merging.changed | await _settle(session, newest, merging.changed)))


class _Merging:
    """The responses of a page of events while the events are added to them."""

    def __init__(self, session: AsyncSession, runtime: Runtime) -> None:
        self._session = session
        self._now = runtime.clock()
        self._keyring = Keyring.of(runtime.settings)
        self._held: dict[UUID, tuple[Response, list[ResponseFacts]]] = {}
        self.changed: set[UUID] = set()

    async def load(self, ids: Collection[UUID]) -> None:
        """Lock those that exist, with what their revisions say."""
        for response in await self._session.scalars(_locked(ids)):
            self._held[response.id] = response, []
        rows = await self._session.execute(
            select(Revision.response_id, Revision.facts)
            .where(Revision.response_id.in_(ids))
            .order_by(Revision.response_id, Revision.number)
        )
        for response_id, facts in rows:
            self._held[response_id][1].append(facts_in(facts))

    async def add(self, event: SurveyResponse) -> None:
        if event.response_id not in self._held:
            self._held[event.response_id] = await self._insert(event), [event.facts]
            self.changed.add(event.response_id)
        response, _ = self._held[event.response_id]
        if event.erased and response.status != Status.ERASED:
            await self._erase(response)
        elif event.deleted and response.status == Status.ACTIVE:
            response.status = Status.DELETED
            self.changed.add(response.id)
        elif not (event.erased or event.deleted):
            if response.external_id.startswith(AGAIN):
                response = await self._one(UUID(response.external_id.removeprefix(AGAIN)))
            if response.status == Status.ACTIVE:
                await self._revise(response, event)

    async def _one(self, id: UUID) -> Response:
        if id not in self._held:
            await self.load([id])
        return self._held[id][0]

    async def _insert(self, event: SurveyResponse) -> Response:
        """What the database has forgotten. Delivered anew meanwhile, it is counted under its new id alone."""
        external_id, again = f"{UNKNOWN}{event.response_id}", None
        if event.origin is not None:
            external_id = opened_origin(event.origin, event.response_id, self._keyring.vault)
            again = await self._session.scalar(_delivered_as(event.facts, external_id))
        response = Response(
            id=event.response_id,
            connection=event.facts.connection,
            survey_id=event.facts.survey_id,
            external_id=external_id if again is None else f"{AGAIN}{again}",
            status=Status.ACTIVE if again is None else Status.DELETED,
            version=event.version,
            revisions=1,
            current=1,
            content_hash=_NO_HASH,
            updated_at=event.facts.updated_at,
            day=event.facts.day,
            customer=event.customer,
        )
        self._session.add_all([response, _revision(event, response.id, 1)])
        await self._keep_customer(response)
        return response

    async def _revise(self, response: Response, event: SurveyResponse) -> None:
        stated = self._held[response.id][1]
        if event.facts in stated:
            return
        stated.append(event.facts)
        response.revisions += 1
        self._session.add(_revision(event, response.id, response.revisions))
        is_own = response.id == event.response_id
        if event.facts.updated_at > response.updated_at or (
            is_own and event.facts.updated_at == response.updated_at and event.version > response.version
        ):
            response.current, response.content_hash = response.revisions, _NO_HASH
            response.updated_at, response.customer = event.facts.updated_at, event.customer
            await self._keep_customer(response)
        self.changed.add(response.id)

    async def _keep_customer(self, response: Response) -> None:
        """With a key, as every customer has (the one that sealed what is lost is lost); an erased one stays so."""
        await self._session.flush()
        if response.customer is None:
            return
        await sql(
            self._session,
            "INSERT INTO customer (customer, wrapped_key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            response.customer,
            self._keyring.vault.new_key()[1],
        )
        if await self._session.scalar(
            select(Customer.erased_at).where(Customer.customer == response.customer)
        ):
            await self._erase(response)

    async def _erase(self, response: Response) -> None:
        """A customer asked for it: whatever else is theirs goes too. Whose it was, the response still says."""
        await self._session.flush()
        named = {response.customer} if response.customer else await self._named_by(response)
        if len(named) == 1:
            await erase_again(self._session, named.pop(), now=self._now, keyring=self._keyring)
        if response.status != Status.ERASED:
            await blank(self._session, [response])
        self.changed.add(response.id)

    async def _named_by(self, response: Response) -> set[str]:
        """Whom its revisions named, where the current one names nobody."""
        query = select(Revision.customer).where(Revision.response_id == response.id)
        return {name for name in await self._session.scalars(query) if name is not None}


async def _settle(
    session: AsyncSession, newest: Mapping[UUID, SurveyResponse], changed: set[UUID]
) -> set[UUID]:
    """Number each state as the log does; one that is not what the log said last is published as the next."""
    settled: set[UUID] = set()
    unlike: list[Response] = []
    for response in await session.scalars(_locked(newest.keys() | changed)):
        said = newest.get(response.id)
        if said is not None and response.version < said.version:
            response.version = said.version
            settled.add(response.id)
        if said is not None and response.version == said.version:
            differs = state_of(response) != replace(said, origin=None)
        else:
            differs = response.id in changed
        if differs:
            response.version += 1
            unlike.append(response)
    await session.flush()
    await publish(session, [state_of(response) for response in unlike])
    return settled | {response.id for response in unlike}


async def lost(runtime: Runtime) -> Sequence[str]:
    """What was answered in words, and what was set up, is not on the log."""
    async with runtime.db.begin() as session:
        wordless = await session.scalar(_recovered())
        nameless = await session.scalar(_recovered().where(Response.external_id.startswith(UNKNOWN)))
        known = select(Connection.id)
        missing = list(
            await session.scalars(
                select(Response.connection).where(Response.connection.not_in(known)).distinct()
            )
        )
    told: list[str] = []
    if wordless:
        told.append(
            f"{wordless} answers are known from the log only: comments and customers' names are lost until the "
            "platform delivers them again. Connections, quarantined deliveries, API keys and erasures "
            "of customers without answers or invitations since the backup are lost: set them up, ask for them, repeat them."
        )
    if nameless:
        told.append(
            f"{nameless} of these were published by a version that did not note the platform's id: if the "
            "platform delivers one of them again, it is counted twice."
        )
    if missing:
        told.append(f"Connections that answers came by and that are not there: {', '.join(sorted(missing))}.")
    return told


recovery = Recovery(take=take, finish=lost)


def _recovered() -> Select[int]:
    return select(func.count()).where(Response.status == Status.ACTIVE, Response.content_hash == _NO_HASH)


def _locked(ids: Collection[UUID]) -> Select[Response]:
    return (
        select(Response)
        .where(Response.id.in_(ids))
        .order_by(Response.connection, Response.survey_id, Response.external_id)
        .with_for_update(of=Response, key_share=True)
        .execution_options(populate_existing=True)
    )


def _delivered_as(facts: ResponseFacts, external_id: str) -> Select[UUID]:
    return select(Response.id).where(
        Response.connection == facts.connection,
        Response.survey_id == facts.survey_id,
        Response.external_id == external_id,
    )


def _revision(event: SurveyResponse, response_id: UUID, number: int) -> Revision:
    """Without words: they were never on the log."""
    facts = event.facts
    return Revision(
        response_id=response_id,
        number=number,
        updated_at=facts.updated_at,
        content_hash=_NO_HASH,
        customer=event.customer,
        interaction_ref=event.interaction_ref,
        facts=msgspec.to_builtins(facts),
        warnings=[],
    )
