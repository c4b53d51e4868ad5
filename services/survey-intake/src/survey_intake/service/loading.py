"""What receiving has to know: one query each, with the locks that make the decision hold until the commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import sql
from survey_intake.domain.revisions import Standing, Status
from survey_intake.sealing import DataKey, Vault
from survey_intake.service.deliveries import Delivery, Identity, Understood


@dataclass
class Held:
    """One response while a batch is applied to it. `standing` is None until its first revision."""

    id: UUID
    identity: Identity
    standing: Standing | None
    day: date
    customer: str | None = None
    wrapped_key: bytes | None = None
    is_new: bool = False
    changed: bool = False


@dataclass(frozen=True)
class Known:
    """`customers` maps to None when erased; `held` has the responses that exist."""

    connections: dict[str, int]
    customers: dict[str, DataKey | None]
    held: dict[Identity, Held]


async def load(session: AsyncSession, deliveries: Sequence[Delivery], vault: Vault) -> Known:
    """Locks customers, then responses, each in their order: everybody does, so nobody waits in a circle."""
    understood = [delivery for delivery in deliveries if isinstance(delivery, Understood)]
    connections = await sql(
        session,
        "SELECT id, revision FROM connection WHERE id = ANY($1::text[])",
        list({delivery.connection for delivery in deliveries}),
    )
    customers = await lock_customers(session, {each.customer for each in understood if each.customer}, vault)
    return Known(
        connections={row.id: row.revision for row in connections},
        customers=customers,
        held=await _responses(session, understood),
    )


async def lock_customers(
    session: AsyncSession, wanted: Iterable[str], vault: Vault
) -> dict[str, DataKey | None]:
    """Keys by customer, made where there was none, None when erased; shared locks keep an erasure out until the commit."""
    names = sorted(wanted)
    if not names:
        return {}
    keys = await _locked_keys(session, names, vault)
    missing = [name for name in names if name not in keys]
    if missing:
        made = {name: vault.new_key() for name in missing}
        inserted = await sql(
            session,
            "INSERT INTO customer (customer, wrapped_key) SELECT * FROM unnest($1::text[], $2::bytea[])"
            " ON CONFLICT DO NOTHING RETURNING customer",
            missing,
            [made[name][1] for name in missing],
        )
        keys |= {name: made[name][0] for (name,) in inserted}
        keys |= await _locked_keys(session, [name for name in missing if name not in keys], vault)
    return keys


async def _locked_keys(
    session: AsyncSession, names: Sequence[str], vault: Vault
) -> dict[str, DataKey | None]:
    if not names:
        return {}
    rows = await sql(
        session,
        "SELECT customer, wrapped_key FROM customer WHERE customer = ANY($1::text[]) ORDER BY customer FOR SHARE",
        list(names),
    )
    return {name: None if wrapped is None else vault.unwrap(wrapped) for name, wrapped in rows}


async def _responses(session: AsyncSession, deliveries: Sequence[Understood]) -> dict[Identity, Held]:
    identities = sorted({delivery.identity for delivery in deliveries})
    if not identities:
        return {}
    rows = await sql(
        session,
        "SELECT r.connection, r.survey_id, r.external_id, r.id, r.status, r.version, r.revisions, r.current,"
        " r.content_hash, r.updated_at, r.day, r.customer, r.wrapped_key"
        " FROM response r JOIN unnest($1::text[], $2::text[], $3::text[]) AS w(connection, survey_id, external_id)"
        " USING (connection, survey_id, external_id)"
        " ORDER BY r.connection, r.survey_id, r.external_id FOR NO KEY UPDATE OF r",
        [identity[0] for identity in identities],
        [identity[1] for identity in identities],
        [identity[2] for identity in identities],
    )
    held = {
        (row.connection, row.survey_id, row.external_id): Held(
            id=row.id,
            identity=(row.connection, row.survey_id, row.external_id),
            standing=Standing(
                status=Status(row.status),
                version=row.version,
                revisions=row.revisions,
                current=row.current,
                content_hash=row.content_hash,
                updated_at=row.updated_at,
            ),
            day=row.day,
            customer=row.customer,
            wrapped_key=row.wrapped_key,
        )
        for row in rows
    }
    await _add_older(session, held, deliveries)
    return held


async def _add_older(
    session: AsyncSession, held: dict[Identity, Held], deliveries: Sequence[Understood]
) -> None:
    """The revisions that are not current, for responses that a late delivery came for."""
    late = {
        response.id: response
        for delivery in deliveries
        if (response := held.get(delivery.identity))
        and response.standing
        and delivery.facts.updated_at < response.standing.updated_at
    }
    if not late:
        return
    rows = await sql(
        session,
        "SELECT response_id, updated_at, content_hash FROM revision WHERE response_id = ANY($1::uuid[])",
        list(late),
    )
    for response in late.values():
        assert response.standing is not None
        older = frozenset((at, content) for owner, at, content in rows if owner == response.id)
        response.standing = response.standing.with_older(older)
