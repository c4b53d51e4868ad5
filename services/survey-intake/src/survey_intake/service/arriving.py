"""The shortest way in: what is new, or an exact repeat, takes one statement for a whole batch.

Nine deliveries in ten are one or the other. The statement is a transaction of its own. What it cannot decide (another
revision, a customer already known) it leaves as it is, for `survey_intake.service.receiving`.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from fairloop.events import SurveyResponse
from fairloop.ids import uuid7, uuid7_text
from fairloop.outbox import CHANNEL, part_of, payload_of
from survey_intake.sealing import DataKey, Vault
from survey_intake.service.deliveries import Identity, Outcome, Receipt, Understood
from survey_intake.service.publishing import newest_of
from survey_intake.service.saving import as_json

Fetch = Callable[..., Awaitable[Sequence[Any]]]

STATEMENT = f"""
WITH configured AS (
    SELECT id FROM connection JOIN unnest($1::text[], $2::int[]) AS used(id, revision) USING (id, revision)
), made AS (
    INSERT INTO customer (customer, wrapped_key) SELECT * FROM unnest($3::text[], $4::bytea[])
    ON CONFLICT DO NOTHING RETURNING customer
), item AS (
    SELECT * FROM unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::timestamptz[], $11::date[],
        $12::text[], $13::bytea[], $14::text[], $15::text[], $16::text[], $17::bytea[], $18::bytea[], $19::uuid[],
        $20::smallint[], $21::bytea[], $22::text[])
    AS item(id, connection, survey_id, external_id, content_hash, updated_at, day, customer, wrapped_key,
        interaction_ref, facts, warnings, personal, raw, event_id, part, payload, traceparent)
), inserted AS (
    INSERT INTO response (id, connection, survey_id, external_id, status, version, revisions, current, content_hash,
        updated_at, day, customer, wrapped_key)
    SELECT id, connection, survey_id, external_id, 'active', 1, 1, 1, content_hash, updated_at, day, customer,
        wrapped_key
    FROM item
    WHERE connection IN (SELECT id FROM configured)
        AND (customer IS NULL OR customer IN (SELECT customer FROM made))
    ON CONFLICT (connection, survey_id, external_id) DO NOTHING RETURNING id
), stored AS (
    SELECT * FROM item WHERE (id IN (SELECT id FROM inserted)) IS TRUE
), revised AS (
    INSERT INTO revision (response_id, number, updated_at, content_hash, customer, interaction_ref, facts, warnings,
        personal, raw)
    SELECT id, 1, updated_at, content_hash, customer, interaction_ref, facts::jsonb, warnings::jsonb, personal, raw
    FROM stored
), published AS (
    INSERT INTO outbox (event_id, topic, part, key, type, payload, traceparent)
    SELECT event_id, '{SurveyResponse.topic}', part, id::text, '{SurveyResponse.type}', payload, traceparent FROM stored
), told AS (
    SELECT pg_notify('{CHANNEL}', '') FROM inserted LIMIT 1
)
SELECT item.id, held.id, held.revisions
FROM item LEFT JOIN LATERAL (
    SELECT r.id, r.revisions FROM response AS r
    WHERE (r.connection, r.survey_id, r.external_id) = (item.connection, item.survey_id, item.external_id)
        AND r.status = 'active' AND r.content_hash = item.content_hash AND r.updated_at >= item.updated_at
        AND item.connection IN (SELECT id FROM configured)
    LIMIT 1
) AS held ON true
WHERE (item.id IN (SELECT id FROM inserted)) IS NOT TRUE
UNION ALL
SELECT NULL, NULL, NULL FROM told
"""
"""`IS TRUE` keeps the planner from comparing every item with every inserted one; a response is inserted only after all
customers are. What another transaction stored a moment ago is neither inserted nor seen: it stays undecided."""


class _Item(NamedTuple):
    """A response in its first revision, sealed; named as the statement names them."""

    id: UUID
    connection: str
    survey_id: str
    external_id: str
    content_hash: bytes
    updated_at: datetime
    day: date
    customer: str | None
    wrapped_key: bytes | None
    interaction_ref: str | None
    facts: str
    warnings: str
    personal: bytes | None
    raw: bytes
    event_id: str
    part: int
    payload: bytes
    traceparent: str | None


async def arrive(fetch: Fetch, deliveries: Sequence[Understood], vault: Vault) -> list[Receipt | None]:
    """One receipt a delivery, in order, committed. None: undecided, and nothing of it was kept."""
    used: dict[str, int] = {}
    for delivery in deliveries:
        used[delivery.connection] = max(delivery.connection_revision, used.get(delivery.connection, 0))
    firsts: dict[Identity, Understood] = {}
    for delivery in deliveries:
        if delivery.connection_revision == used[delivery.connection]:
            firsts.setdefault(delivery.identity, delivery)
    keys: dict[str, tuple[DataKey, bytes]] = {}
    items = {identity: _item(firsts[identity], keys, vault) for identity in sorted(firsts)}
    customers = sorted(keys)
    rows = await fetch(
        STATEMENT,
        list(used),
        list(used.values()),
        customers,
        [keys[customer][1] for customer in customers],
        *zip(*items.values(), strict=True),
    )
    known: dict[UUID, tuple[UUID | None, int]] = {
        item_id: (held_id, count) for item_id, held_id, count in rows
    }
    receipts: list[Receipt | None] = []
    for delivery in deliveries:
        first = firsts.get(delivery.identity)
        if first is None or not _says_the_same(delivery, first):
            firsts.pop(delivery.identity, None)  # what comes after it has to wait for it
            receipts.append(None)
            continue
        item_id = items[delivery.identity].id
        outcome: Outcome = "duplicate" if item_id in known else "accepted"
        held_id, revisions = known.setdefault(item_id, (item_id, 1))
        receipts.append(Receipt(outcome, held_id, revisions) if held_id else None)
    return receipts


def _says_the_same(delivery: Understood, first: Understood) -> bool:
    return delivery is first or (
        delivery.content_hash == first.content_hash
        and delivery.facts.updated_at <= first.facts.updated_at
        and delivery.connection_revision == first.connection_revision
    )


def _item(delivery: Understood, keys: dict[str, tuple[DataKey, bytes]], vault: Vault) -> _Item:
    """`keys` gets the key of a customer seen for the first time in this batch."""
    response_id = uuid7()
    context = response_id.bytes
    customer, facts = delivery.customer, delivery.facts
    if customer is None:
        key, wrapped_key = vault.new_key()
    else:
        key, wrapped_key = keys.get(customer) or keys.setdefault(customer, vault.new_key())
    event = newest_of(delivery, facts, response_id=response_id, version=1, vault=vault)
    return _Item(
        id=response_id,
        connection=facts.connection,
        survey_id=facts.survey_id,
        external_id=delivery.identity[2],
        content_hash=delivery.content_hash,
        updated_at=facts.updated_at,
        day=facts.day,
        customer=customer,
        wrapped_key=wrapped_key if customer is None else None,
        interaction_ref=delivery.interaction_ref,
        facts=as_json(facts),
        warnings=as_json(delivery.warnings),
        personal=None if delivery.personal is None else key.seal(delivery.personal, context),
        raw=key.seal(delivery.body, context),
        event_id=uuid7_text(),
        part=part_of(event),
        payload=payload_of(event),
        traceparent=delivery.traceparent,
    )
