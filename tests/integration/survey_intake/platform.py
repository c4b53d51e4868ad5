"""A survey platform and a program, as they talk to the intake."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx

from fairloop.standard_webhooks import secret_key, sign
from fairloop.testing import Box

SECRET = "whsec_" + base64.b64encode(b"the platform's secret, 32 bytes.").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"the next secret after a rotation").decode()

MAPPING = {
    "nps": "q_nps",
    "comment": "q_why",
    "cause1": "q_rc1",
    "cause2": "q_rc2",
    "customer_ref": "h_customer",
    "customer_name": "q_name",
    "customer_email": "q_mail",
    "interaction_ref": "h_job",
    "segments": {"branch": "h_branch"},
    "ratings": {"hygiene": "q_7"},
    "consent_quote": "q_ok",
    "cause_values": {"Cleanliness of the car": "cleanliness"},
}


async def connect(box: Box, name: str = "glass", **settings: Any) -> None:
    """Make a Formbricks connection with one secret, unless told otherwise."""
    told = {"platform": "formbricks", "secrets": [SECRET], "survey_type": "transactional", "mapping": MAPPING}
    answer = await box.http("admin").put(f"/v1/connections/{name}", json=told | settings)
    assert answer.status_code == 200, answer.text


async def connect_own(box: Box, name: str = "own", **settings: Any) -> None:
    """Make a connection that delivers in our own format."""
    await connect(box, name, **{"platform": "fairloop", "mapping": {}} | settings)


def formbricks(external_id: str = "r1", event: str = "responseFinished", **changes: Any) -> dict[str, Any]:
    """A Formbricks delivery: `answers` are merged in, other changes replace fields of `data`."""
    answers = {"q_nps": 3, "q_why": "The car came back dirty.", "h_customer": "cust-1", "h_job": "job-1"}
    data: dict[str, Any] = {
        "id": external_id,
        "surveyId": "nps-survey",
        "createdAt": "2026-03-01T08:00:00.000Z",
        "updatedAt": "2026-03-01T08:01:00.000Z",
        "finished": event == "responseFinished",
        "language": "default",
        "data": answers | changes.pop("answers", {}),
    }
    return {"webhookId": "hook", "event": event, "data": data | changes}


def own(external_id: str = "r1", **changes: Any) -> dict[str, Any]:
    """A response in our own format."""
    return {
        "connection": "own",
        "survey_id": "s",
        "response_id": external_id,
        "submitted_at": "2026-03-01T08:00:00Z",
        "scores": {"nps": 3},
        "comment": "The car came back dirty.",
        "customer": {
            "ref": "cust-1",
            "name": "Anna Visser",
            "email": "anna@example.org",
            "phone": "+31 6 1234",
        },
        "interaction_ref": "job-1",
    } | changes


async def deliver(
    box: Box,
    body: dict[str, Any] | bytes,
    *,
    connection: str = "glass",
    secret: str | None = SECRET,
    at: datetime | None = None,
    by: httpx.AsyncClient | None = None,
) -> httpx.Response:
    """POST a delivery as the platform does, signed unless `secret` is None; `by`: to a process of the service."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    if secret is not None:
        timestamp = int((at or box.clock.now).astimezone(UTC).timestamp())
        headers |= {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret_key(secret), message_id="msg_1", timestamp=timestamp, body=raw),
        }
    client = by or box.http()
    return await client.post(f"/v1/webhooks/{connection}", content=raw, headers=headers)
