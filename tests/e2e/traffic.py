"""Answers with duplicates and revisions, posted like a survey platform does, and what must come of them.

The fold at the end knows nothing of the services: it is counted here, from what was sent.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from tests.form import LONG

RESPONSES = 2_000 if LONG else 600
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
MECHANICS = [f"mechanic-{n}" for n in range(10)]
CAUSES = {"quality": True, "speed": True, "right_window": False}
"""Second-level cause → whether a mechanic can influence it."""


@dataclass(frozen=True)
class Delivery:
    """One POST of one revision."""

    number: int
    score: int
    cause: str
    revision: int

    def body(self) -> bytes:
        submitted = datetime.now(UTC).replace(microsecond=0, second=0, minute=0) - timedelta(
            days=1 + self.number % 20
        )
        return json.dumps(
            {
                "event": "responseFinished",
                "data": {
                    "id": f"answer-{self.number}",
                    "surveyId": "e2e",
                    "createdAt": submitted.isoformat(),
                    "updatedAt": (submitted + timedelta(minutes=self.revision)).isoformat(),
                    "finished": True,
                    "data": {
                        "nps": self.score,
                        "rc1": "work",
                        "rc2": self.cause,
                        "job": f"job-{self.number}",
                        "customer": f"customer-{self.number}",
                        "why": f"words of customer {self.number}",
                    },
                },
            }
        ).encode()

    def headers(self) -> dict[str, str]:
        message, now, body = f"m-{self.number}-{self.revision}", str(int(time.time())), self.body()
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"{message}.{now}.".encode() + body, hashlib.sha256).digest()
        signature = "v1," + base64.b64encode(digest).decode()
        return {"webhook-id": message, "webhook-timestamp": now, "webhook-signature": signature}


def mechanic_of(number: int) -> str:
    return MECHANICS[number % len(MECHANICS)]


def deliveries(chance: random.Random) -> list[Delivery]:
    """Every answer once, one in ten again, one in ten in a second revision, shuffled but for the revisions."""
    firsts = [
        Delivery(number, chance.randint(0, 10), chance.choice(list(CAUSES)), 0) for number in range(RESPONSES)
    ]
    again = chance.sample(firsts, RESPONSES // 10)
    revised = [
        Delivery(first.number, chance.randint(0, 10), first.cause, 1)
        for first in chance.sample(firsts, RESPONSES // 10)
    ]
    everything = firsts + again + revised
    chance.shuffle(everything)
    return everything


def directory() -> list[tuple[str, str, dict[str, Any]]]:
    """(service, path, body) of the organisation: two branches of five mechanics, supply."""
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("attribution", "/v1/org-units/company", {"name": "Company", "parent": None}),
        *(
            ("attribution", f"/v1/org-units/{unit}", {"name": unit, "parent": "company"})
            for unit in ("branch-0", "branch-1", "supply")
        ),
        ("attribution", "/v1/roles/mechanic", {"name": "Mechanic"}),
    ]
    for n, mechanic in enumerate(MECHANICS):
        assignment = {
            "employee": mechanic,
            "role": "mechanic",
            "org_unit": f"branch-{n % 2}",
            "from": "2020-01-01",
        }
        requests.append(("attribution", f"/v1/employees/{mechanic}", {"name": mechanic}))
        requests.append(("attribution", f"/v1/assignments/{mechanic}", assignment))
    children = [
        {"id": "quality", "name": "Quality"},
        {"id": "speed", "name": "Speed"},
        {"id": "right_window", "name": "Right window", "process_owner": "supply"},
    ]
    taxonomy = {"causes": [{"id": "work", "name": "Work", "children": children}]}
    cells = [
        {"role": "mechanic", "cause": cause, "influence": "1"}
        for cause, influenced in CAUSES.items()
        if influenced
    ]
    matrix = {"taxonomy": "causes", "valid_from": "2020-01-01", "cells": cells}
    connection = {
        "platform": "formbricks",
        "secrets": [SECRET],
        "survey_type": "transactional",
        "taxonomy": "causes",
        "mapping": {
            "nps": "nps",
            "cause1": "rc1",
            "cause2": "rc2",
            "interaction_ref": "job",
            "customer_ref": "customer",
            "comment": "why",
        },
    }
    return [
        *requests,
        ("attribution", "/v1/taxonomies/causes", taxonomy),
        ("attribution", "/v1/influence-matrices/causes", matrix),
        ("survey-intake", "/v1/connections/e2e", connection),
    ]


def interactions() -> Iterable[list[dict[str, Any]]]:
    """Every answer's job, in batches of 500."""
    jobs = [
        {
            "id": f"job-{number}",
            "occurred_at": (datetime.now(UTC) - timedelta(days=25)).isoformat(),
            "customer_ref": f"customer-{number}",
            "org_unit": f"branch-{number % len(MECHANICS) % 2}",
            "touchpoint": "work",
            "participants": [{"employee": mechanic_of(number), "role": "mechanic"}],
        }
        for number in range(RESPONSES)
    ]
    return (jobs[start : start + 500] for start in range(0, RESPONSES, 500))


@dataclass
class Fold:
    """What must have been counted: the newest revision of everything that was answered 2xx."""

    newest: dict[int, Delivery] = field(default_factory=dict)

    def take(self, delivery: Delivery) -> None:
        held = self.newest.get(delivery.number)
        if held is None or delivery.revision > held.revision:
            self.newest[delivery.number] = delivery

    def counts(self) -> dict[tuple[str, str, str], tuple[int, int, int, int]]:
        """(scope, id, view) → n, promoters, passives, detractors."""
        scores: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for delivery in self.newest.values():
            mechanic = mechanic_of(delivery.number)
            branch = f"branch-{delivery.number % len(MECHANICS) % 2}"
            scores["organisation", "all", "all"].append(delivery.score)
            scores["employee", mechanic, "all"].append(delivery.score)
            scores["org_unit", branch, "all"].append(delivery.score)
            if CAUSES[delivery.cause]:
                scores["employee", mechanic, "influenced"].append(delivery.score)
                scores["org_unit", branch, "influenced"].append(delivery.score)
            else:
                scores["org_unit", "supply", "all"].append(delivery.score)
                scores["org_unit", "supply", "influenced"].append(delivery.score)
        return {scope: _classes(listed) for scope, listed in scores.items()}

    def detractors(self) -> set[int]:
        return {number for number, delivery in self.newest.items() if delivery.score <= 6}


def _classes(scores: list[int]) -> tuple[int, int, int, int]:
    promoters = sum(score >= 9 for score in scores)
    detractors = sum(score <= 6 for score in scores)
    return len(scores), promoters, len(scores) - promoters - detractors, detractors


async def send_all(
    url: str, everything: list[Delivery], *, per_second: int, seconds: float
) -> dict[int, str]:
    """Post every delivery until it is answered 202, at a steady rate; answer number → our response id."""
    ids: dict[int, str] = {}
    gate = asyncio.Semaphore(32)
    async with httpx.AsyncClient(base_url=url, timeout=10, limits=httpx.Limits(max_connections=32)) as client:

        async def send(delivery: Delivery) -> None:
            async with gate, asyncio.timeout(seconds):
                while True:
                    try:
                        answer = await client.post(
                            "/v1/webhooks/e2e", content=delivery.body(), headers=delivery.headers()
                        )
                    except httpx.TransportError:
                        answer = None
                    if answer is not None and answer.status_code == httpx.codes.ACCEPTED:
                        ids[delivery.number] = answer.json()["response_id"]
                        return
                    assert answer is None or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, (
                        answer.text
                    )
                    await asyncio.sleep(0.1)

        async with asyncio.TaskGroup() as group:
            for delivery in everything:
                group.create_task(send(delivery))
                await asyncio.sleep(1 / per_second)
    return ids
