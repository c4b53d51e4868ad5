"""A response's state as the event that tells it."""

from base64 import b64decode, b64encode
from typing import Any
from uuid import UUID

import msgspec

from fairloop.events import ResponseFacts, SurveyResponse
from survey_intake.domain.revisions import Status
from survey_intake.sealing import Vault
from survey_intake.service.deliveries import Understood
from survey_intake.tables import Response

UNKNOWN = "unknown:"
"""Before our own id, where the log does not say the platform's."""
AGAIN = "again:"
"""Before the id that a response has now which was delivered again, as a new one, before it was recovered."""

KEPT_FACTS = (
    "connection",
    "survey_id",
    "survey_type",
    "taxonomy",
    "day",
    "submitted_at",
    "updated_at",
    "received_at",
)
"""What is still told of a response that was deleted or erased: enough to find it, nothing that was answered."""


def retracted_facts(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in KEPT_FACTS if name in facts} | {"scores": {}}


def facts_in(stored: dict[str, Any]) -> ResponseFacts:
    return msgspec.convert(stored, ResponseFacts)


def newest_of(
    delivery: Understood, facts: ResponseFacts, *, response_id: UUID, version: int, vault: Vault
) -> SurveyResponse:
    """The state that a delivery made the newest; `facts` are the delivery's, with the response's day."""
    return SurveyResponse(
        version=version,
        response_id=response_id,
        facts=facts,
        customer=delivery.customer,
        interaction_ref=delivery.interaction_ref,
        origin=sealed_origin(delivery.identity[2], response_id, vault),
    )


def state_of(response: Response) -> SurveyResponse:
    """The newest published state, also of a retracted response."""
    retracted = response.status != Status.ACTIVE
    stored = response.shown.facts
    return SurveyResponse(
        version=response.version,
        response_id=response.id,
        facts=facts_in(retracted_facts(stored) if retracted else stored),
        customer=None if retracted else response.customer,
        interaction_ref=None if retracted else response.shown.interaction_ref,
        erased=response.status == Status.ERASED,
        deleted=response.status == Status.DELETED,
    )


def origin_of(response: Response, vault: Vault) -> str | None:
    """None where the platform's id is not known, or nothing may lead back to it."""
    is_known = not response.external_id.startswith((UNKNOWN, AGAIN))
    if response.status == Status.ERASED or not is_known:
        return None
    return sealed_origin(response.external_id, response.id, vault)


def sealed_origin(external_id: str, response_id: UUID, vault: Vault) -> str:
    """The platform's id as it may stand on the log: only this service can read it, after a restore."""
    return b64encode(vault.seal(external_id.encode(), response_id.bytes)).decode()


def opened_origin(origin: str, response_id: UUID, vault: Vault) -> str:
    """Raises UnreadableError when the master key is not the one it was sealed with."""
    return vault.open(b64decode(origin), response_id.bytes).decode()
