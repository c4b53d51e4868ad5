"""What a delivery would come to, with nothing stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from fairloop.standard_webhooks import is_signed
from survey_intake.domain.draft import Draft, Ignorable, Problem
from survey_intake.domain.reading import read_delivery
from survey_intake.service.connections import ConnectionConfig
from survey_intake.service.deliveries import facts_of

SignatureState = Literal["valid", "invalid", "absent", "not needed"]


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome` is what the body would come to behind a valid signature; `response` is None unless accepted."""

    signature: SignatureState
    outcome: Literal["accepted", "quarantined", "ignored"]
    response: dict[str, Any] | None = None
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def rehearse(
    config: ConnectionConfig, headers: Mapping[str, str], body: bytes, *, now: datetime, day_zone: ZoneInfo
) -> Rehearsal:
    """The body is read even when the signature fails, so that a mapping can be tried out with a pasted body."""
    signature = _signature(config, headers, body, now)
    reading = read_delivery(body, platform=config.platform, mapping=config.mapping, zone=config.zone)
    if isinstance(reading, Ignorable):
        return Rehearsal(signature=signature, outcome="ignored")
    if not isinstance(reading, Draft):
        return Rehearsal(signature=signature, outcome="quarantined", errors=reading.errors)
    return Rehearsal(
        signature=signature,
        outcome="accepted",
        response={
            **msgspec.to_builtins(facts_of(reading, config, received_at=now, day_zone=day_zone)),
            "external_id": reading.external_id,
            "interaction_ref": reading.interaction_ref,
            "comment": reading.personal.comment,
            "customer": msgspec.to_builtins(reading.personal.customer),
        },
        warnings=reading.warnings,
    )


def _signature(
    config: ConnectionConfig, headers: Mapping[str, str], body: bytes, now: datetime
) -> SignatureState:
    if "webhook-signature" not in headers:
        return "not needed" if config.unsigned else "absent"
    return "valid" if is_signed(headers, body, keys=config.keys, now=now) else "invalid"
