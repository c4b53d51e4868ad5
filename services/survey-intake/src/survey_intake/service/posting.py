"""Responses posted by a program we know: our own format, one or many in a body."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.errors import Conflict, Invalid
from survey_intake.domain.coerce import SLUG
from survey_intake.domain.draft import NotUnderstood
from survey_intake.domain.own_format import read_own
from survey_intake.domain.reading import decode
from survey_intake.keyring import Keyring
from survey_intake.service.connections import ConnectionConfig, load_config
from survey_intake.service.deliveries import Delivery, Receipt, prepare
from survey_intake.service.receiving import receive

MAX_RESPONSES = 1000


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """One posted response, addressed. `raw` is its part of the body as it came; `where` a pointer to it."""

    connection: str
    told: Mapping[str, object]
    raw: bytes
    where: str


def parts_of(body: bytes) -> list[bytes] | None:
    """The responses of a batch; None when the body is a single one. Raises Invalid."""
    told = decode(body)
    if isinstance(told, NotUnderstood) or not isinstance(told, dict):
        detail = told.errors[0].detail if isinstance(told, NotUnderstood) else "must be an object"
        raise Invalid(f"The body {detail}.", pointer="/body")
    if "responses" not in told:
        return None
    batch = told["responses"]
    if not isinstance(batch, list) or not 1 <= len(batch) <= MAX_RESPONSES:
        raise Invalid(f"A batch has 1 to {MAX_RESPONSES} responses.", pointer="/body/responses")
    parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["responses"]
    return [bytes(part) for part in msgspec.json.decode(parts, type=list[msgspec.Raw])]


def address(raw: bytes, where: str) -> Posted:
    """Raises Invalid when it does not say for which connection it is."""
    told = decode(raw)
    if isinstance(told, NotUnderstood):
        raise Invalid("The response is not understood.", errors=[(where, told.errors[0].detail)])
    if not isinstance(told, dict):
        raise Invalid("The response is not understood.", errors=[(where, "must be an object")])
    connection = told.get("connection")
    if not isinstance(connection, str) or not SLUG.fullmatch(connection):
        raise Invalid(
            "The response does not say for which connection it is.",
            errors=[(f"{where}/connection", "must be the id of a connection")],
        )
    return Posted(connection=connection, told=told, raw=raw, where=where)


def no_connection(posted: Posted) -> Invalid:
    return Invalid(
        "The response is for a connection that does not exist.",
        errors=[(f"{posted.where}/connection", "there is no such connection")],
    )


def understood(
    posted: Posted, config: ConnectionConfig, *, now: datetime, day_zone: ZoneInfo, keyring: Keyring
) -> Delivery:
    """Raises Invalid with every problem's place."""
    reading = read_own(posted.told, config.zone)
    if isinstance(reading, NotUnderstood):
        errors = [(posted.where + problem.pointer, problem.detail) for problem in reading.errors]
        raise Invalid("The response is not understood.", errors=errors)
    delivery = prepare(reading, posted.raw, config, received_at=now, day_zone=day_zone, keyring=keyring)
    assert delivery is not None
    return delivery


async def post_within(
    session: AsyncSession,
    posts: Sequence[Posted],
    *,
    now: datetime,
    day_zone: ZoneInfo,
    keyring: Keyring,
) -> list[Receipt | Invalid]:
    """Store in the caller's transaction, so that an idempotency key is committed with its effect."""
    configs = {
        name: await load_config(session, name, keyring.vault) for name in {p.connection for p in posts}
    }
    made: list[Delivery | Invalid] = []
    for posted in posts:
        config = configs[posted.connection]
        try:
            if config is None:
                raise no_connection(posted)
            made.append(understood(posted, config, now=now, day_zone=day_zone, keyring=keyring))
        except Invalid as refused:
            made.append(refused)
    receipts = iter(
        await receive(session, [one for one in made if not isinstance(one, Invalid)], keyring.vault)
    )
    return [one if isinstance(one, Invalid) else _current(next(receipts)) for one in made]


def _current(receipt: Receipt | None) -> Receipt:
    if receipt is None:
        raise Conflict("The connection was changed meanwhile; try again.")
    return receipt
