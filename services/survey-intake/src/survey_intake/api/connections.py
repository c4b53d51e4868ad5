"""Connections: put, read, try out."""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import Request
from pydantic import Field
from sqlalchemy import select

from fairloop.auth import Role, roles
from fairloop.db import sql
from fairloop.errors import Invalid, NotFound
from fairloop.standard_webhooks import secret_key
from fairloop.web import Answer, Body, Listing, Now, Paging, Routes, Session, Slug, listing
from survey_intake.api.resource import Intake
from survey_intake.domain.findings import pointer
from survey_intake.domain.mapping import Mapping, mapping_problems
from survey_intake.domain.reading import PLATFORMS
from survey_intake.sealing import Vault
from survey_intake.service.connections import load_config, open_secrets, seal_secrets
from survey_intake.service.dry_run import rehearse
from survey_intake.tables import Connection

routes = Routes(tag="connections")

ADMIN = roles(Role.ADMIN)
OPERATORS = roles(Role.ADMIN, Role.OPS)

Platform = Literal[
    "formbricks", "typeform", "tally", "surveymonkey", "qualtrics", "jotform", "generic", "fairloop"
]
Question = Annotated[str, Field(min_length=1, max_length=256)]


class MappingIn(Body):
    """Question or hidden-field id by meaning."""

    nps: Question | None = None
    csat: Question | None = None
    ces: Question | None = None
    comment: Question | None = None
    cause1: Question | None = None
    cause2: Question | None = None
    customer_ref: Question | None = None
    customer_name: Question | None = None
    customer_email: Question | None = None
    customer_phone: Question | None = None
    interaction_ref: Question | None = None
    consent_quote: Question | None = None
    segments: dict[str, Question] = Field(default_factory=dict, max_length=20)
    ratings: dict[str, Question] = Field(default_factory=dict, max_length=50)
    cause_values: dict[str, str] = Field(default_factory=dict, max_length=500)

    def to_domain(self) -> Mapping:
        return msgspec.convert(self.model_dump(), Mapping)


class ConnectionIn(Body):
    """`secrets`: up to two live ones, newest first; left out: those there are stay, `[]` removes them."""

    platform: Platform
    secrets: Annotated[list[str], Field(max_length=2)] | None = None
    unsigned: bool = False
    timezone: str | None = Field(
        None, description="For times without an offset; default: the organisation's."
    )
    survey_type: Literal["transactional", "relationship"]
    taxonomy: Slug | None = None
    mapping: MappingIn = MappingIn()


class ConnectionOut(Answer):
    """Secrets are never shown, only how many are live."""

    id: str
    platform: str
    live_secrets: int
    unsigned: bool
    timezone: str
    survey_type: str
    taxonomy: str | None
    mapping: dict[str, Any]


class DryRunIn(Body):
    """A delivery as the platform sends it: a text is taken as the raw body, an object is written as JSON."""

    headers: dict[str, str] = Field(default_factory=dict)
    body: str | dict[str, Any]


def _shown(row: Connection, vault: Vault) -> ConnectionOut:
    return ConnectionOut(
        id=row.id,
        platform=row.platform,
        live_secrets=len(open_secrets(row, vault)),
        unsigned=row.unsigned,
        timezone=row.timezone,
        survey_type=row.survey_type,
        taxonomy=row.taxonomy,
        mapping=row.mapping,
    )


def _check(body: ConnectionIn) -> None:
    """Raises Invalid for what the shape alone does not tell."""
    if body.platform not in PLATFORMS:
        raise Invalid(
            f"Deliveries of {body.platform} cannot be read yet; these can: {', '.join(PLATFORMS)}.",
            pointer="/body/platform",
        )
    errors = [
        (f"/body/mapping{wrong.pointer}", wrong.detail)
        for wrong in mapping_problems(body.platform, body.mapping.to_domain())
    ]
    for index, secret in enumerate(body.secrets or ()):
        try:
            secret_key(secret)
        except ValueError as wrong:
            errors.append((f"/body/secrets{pointer(index)}", str(wrong)))
    if body.timezone is not None:
        try:
            ZoneInfo(body.timezone)
        except (KeyError, ValueError, OSError):
            errors.append(("/body/timezone", "is not a time zone such as Europe/Amsterdam"))
    if errors:
        raise Invalid("The connection cannot work like this.", errors=errors)


@routes.put("/v1/connections/{id}", allow=ADMIN)
async def put_connection(id: Slug, body: ConnectionIn, session: Session, intake: Intake) -> ConnectionOut:
    _check(body)
    vault = intake.keyring.vault
    await sql(
        session,
        "INSERT INTO connection AS held (id, platform, secrets, unsigned, timezone, survey_type, taxonomy, mapping,"
        " revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, 1)"
        " ON CONFLICT (id) DO UPDATE SET platform = $2, unsigned = $4, timezone = $5, survey_type = $6,"
        " taxonomy = $7, mapping = $8::text::jsonb, revision = held.revision + 1,"
        " secrets = CASE WHEN $9::bool THEN held.secrets ELSE $3 END",
        id,
        body.platform,
        seal_secrets(id, body.secrets or (), vault),
        body.unsigned,
        body.timezone or intake.settings.timezone,
        body.survey_type,
        body.taxonomy,
        msgspec.json.encode(body.mapping.to_domain()).decode(),
        body.secrets is None,
    )
    return _shown(await session.get_one(Connection, id), vault)


@routes.get("/v1/connections/{id}", allow=OPERATORS)
async def get_connection(id: Slug, session: Session, intake: Intake) -> ConnectionOut:
    row = await session.get(Connection, id)
    if row is None:
        raise NotFound(f"There is no connection {id}.")
    return _shown(row, intake.keyring.vault)


@routes.get("/v1/connections", allow=OPERATORS)
async def list_connections(session: Session, intake: Intake, page: Paging) -> Listing[ConnectionOut]:
    vault = intake.keyring.vault
    return await listing(
        session, select(Connection), by=[Connection.id], page=page, to=lambda row: _shown(row, vault)
    )


@routes.post("/v1/connections/{id}/dry-run", allow=OPERATORS)
async def dry_run(
    id: Slug, body: DryRunIn, *, request: Request, session: Session, intake: Intake, now: Now
) -> dict[str, Any]:
    """The normalised response or what failed. The answer shows personal data and is not kept."""
    if "idempotency-key" in request.headers:
        raise Invalid(
            "A dry run changes nothing and its answer is not kept.", pointer="/header/Idempotency-Key"
        )
    config = await load_config(session, id, intake.keyring.vault)
    if config is None:
        raise NotFound(f"There is no connection {id}.")
    raw = body.body.encode() if isinstance(body.body, str) else msgspec.json.encode(body.body)
    headers = {name.lower(): value for name, value in body.headers.items()}
    outcome = rehearse(config, headers, raw, now=now, day_zone=intake.settings.zone)
    shown: dict[str, Any] = msgspec.to_builtins(outcome)
    return shown
