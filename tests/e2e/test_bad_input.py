"""Whatever is sent to a webhook path is answered 202, 401, 413 or 503, and nothing authentic is lost."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.installation import Installation

pytestmark = pytest.mark.timeout(300)

SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
HOOK = "/v1/webhooks/bad"


@pytest.fixture(scope="module", autouse=True)
async def hook(installation: Installation) -> None:
    """The connection that everything here is sent to."""
    connection = {
        "platform": "formbricks",
        "secrets": [SECRET],
        "survey_type": "relationship",
        "mapping": {"nps": "nps", "comment": "why", "customer_ref": "customer"},
    }
    async with installation.client("survey-intake") as client:
        answer = await client.put("/v1/connections/bad", json=connection)
        assert answer.is_success, answer.text


def signed(body: bytes, *, age: int = 0, secret: str = SECRET) -> dict[str, str]:
    message, at = f"m-{secrets.token_hex(8)}", str(int(time.time()) - age)
    digest = hmac.new(
        base64.b64decode(secret[6:]), f"{message}.{at}.".encode() + body, hashlib.sha256
    ).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": signature}


def event(answer: Any, **more: str) -> bytes:
    data = {"nps": answer, "customer": "c-1", **more}
    response = {
        "id": secrets.token_hex(8),
        "surveyId": "s",
        "createdAt": "2026-01-01T10:00:00Z",
        "updatedAt": "2026-01-01T10:00:00Z",
        "finished": True,
        "data": data,
    }
    return json.dumps({"event": "responseFinished", "data": response}).encode()


async def post(
    installation: Installation, body: bytes, headers: dict[str, str] | None = None
) -> httpx.Response:
    async with httpx.AsyncClient(base_url=installation.url("survey-intake"), timeout=30) as client:
        return await client.post(HOOK, content=body, headers=signed(body) if headers is None else headers)


async def quarantined(installation: Installation) -> int:
    async with installation.client("survey-intake") as client:
        return len((await client.get("/v1/quarantine?limit=500")).json()["items"])


@pytest.mark.fault(16)
async def test_without_a_right_signature_nothing_gets_in(installation: Installation) -> None:
    body = event(9)
    other = "whsec_" + base64.b64encode(b"another secret of 24 by.").decode()
    for headers in (
        {},
        signed(body, secret=other),
        signed(b"another body"),
        signed(body, age=330),
        signed(body, age=-330),
    ):
        assert (await post(installation, body, headers)).status_code == 401
    assert await quarantined(installation) == 0


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00 not utf-8",
        b'{"event": "responseFinished", "data": {"id": NaN}}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"event": "responseFinished"}',
        b'{"event": "responseFinished", "data": {}}',
        event(11),
        event("ten"),
        event({"deep": [1, 2]}),
        event(float("nan")),
        event(1e308),
        event(None),
    ],
    ids=lambda body: body[:24].decode(errors="replace"),
)
async def test_authentic_but_not_understood_is_kept_for_a_person(
    installation: Installation, body: bytes
) -> None:
    before = await quarantined(installation)
    answer = await post(installation, body)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "quarantined"), answer.text
    assert await quarantined(installation) == before + 1


@pytest.mark.parametrize(("sent", "counted"), [(0, 0), ("10", 10), (10, 10), ("0", 0)])
async def test_scores_come_as_numbers_or_text_and_zero_is_one(
    installation: Installation, sent: Any, counted: int
) -> None:
    answer = await post(installation, event(sent))
    assert answer.json()["outcome"] == "accepted"
    async with installation.client("survey-intake") as client:
        response = (await client.get(f"/v1/responses/{answer.json()['response_id']}")).json()
    assert response["scores"]["nps"] == counted


async def test_an_impossible_score_beside_usable_words_is_no_score(installation: Installation) -> None:
    answer = await post(installation, event(11, why="because"))
    assert answer.json()["outcome"] == "accepted"
    async with installation.client("survey-intake") as client:
        response = (await client.get(f"/v1/responses/{answer.json()['response_id']}")).json()
    assert response["scores"]["nps"] is None
    assert "outside 0 to 10" in str(response["warnings"])


async def test_a_zero_character_in_a_comment_reaches_every_service(installation: Installation) -> None:
    body = event(3, why="be\0cause")
    answer = await post(installation, body)
    assert answer.status_code == 202
    assert json.loads(installation.fairloop("parked", "list", "--service", "attribution")) == []


@pytest.mark.fault(17)
@pytest.mark.parametrize("size", [1_048_577, 5_000_000])
async def test_a_large_body_is_read_to_its_end_and_refused(installation: Installation, size: int) -> None:
    answer = await post(installation, b"x" * size)
    assert answer.status_code == 413
    assert (await post(installation, event(9))).status_code == 202


async def test_the_largest_body_that_is_taken(installation: Installation) -> None:
    body = event(9)
    padded = body[:-1] + b" " * (1_048_576 - len(body)) + b"}"
    assert (await post(installation, padded)).json()["outcome"] == "accepted"


async def test_over_16_mib_the_connection_is_closed(installation: Installation) -> None:
    try:
        answer = await post(installation, b"x" * 20_000_000)
    except httpx.TransportError:
        pass
    else:
        assert answer.status_code == 413
    assert (await post(installation, event(9))).status_code == 202


@pytest.mark.parametrize("path", ["nobody", "bad/more", "", "%00", "x" * 300])
async def test_an_unknown_hook_is_told_to_come_back_not_to_go_away(
    installation: Installation, path: str
) -> None:
    async with httpx.AsyncClient(base_url=installation.url("survey-intake")) as client:
        answer = await client.post(f"/v1/webhooks/{path}", content=b"{}")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


async def test_head_tells_a_platform_that_the_hook_is_there(installation: Installation) -> None:
    async with httpx.AsyncClient(base_url=installation.url("survey-intake")) as client:
        assert (await client.head(HOOK)).status_code == 200


@pytest.mark.fault(16)
async def test_a_thousand_deliveries_of_one_answer_at_once_are_one(installation: Installation) -> None:
    body = event(9)
    headers = signed(body)
    gate = asyncio.Semaphore(100)
    async with httpx.AsyncClient(base_url=installation.url("survey-intake"), timeout=60) as client:

        async def send() -> str:
            async with gate:
                answer = await client.post(HOOK, content=body, headers=headers)
                assert answer.status_code == 202
                return str(answer.json()["outcome"])

        outcomes = await asyncio.gather(*(send() for _ in range(1_000)))
    assert sorted(outcomes)[:1] == ["accepted"]
    assert outcomes.count("accepted") == 1
    assert set(outcomes) == {"accepted", "duplicate"}


@pytest.mark.fault(17)
async def test_no_request_of_this_file_was_answered_5xx_but_on_purpose(installation: Installation) -> None:
    log: str = (Path(installation.home) / "logs" / "survey-intake.log").read_text()
    assert "unexpected_error" not in log
