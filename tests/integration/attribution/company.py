"""The windscreen company, put through the API, and the responses its customers give."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx

from fairloop.events import Cause, ResponseFacts, Scores, SurveyResponse
from fairloop.ids import uuid7
from fairloop.pseudonym import customer_key
from fairloop.testing import ENVIRONMENT, Box

JOB_TIME = "2026-03-02T10:00:00Z"


async def set_up(box: Box) -> httpx.AsyncClient:
    """Units, people, taxonomy and matrix; answers an admin's client."""
    admin = box.http("admin")
    for unit, parent in (
        ("company", None),
        ("north", "company"),
        ("supply", "company"),
        ("planning", "company"),
    ):
        await put(admin, f"/v1/org-units/{unit}", {"name": unit.title(), "parent": parent})
    for role in ("mechanic", "scheduler", "branch_manager"):
        await put(admin, f"/v1/roles/{role}", {"name": role})
    for who, role, unit in (
        ("boss", "branch_manager", "north"),
        ("m1", "mechanic", "north"),
        ("m2", "mechanic", "north"),
        ("s1", "scheduler", "planning"),
    ):
        await put(admin, f"/v1/employees/{who}", {"name": f"Name of {who}", "email": f"{who}@example.org"})
        await put(admin, f"/v1/assignments/{who}-{role}", assignment(who, role, unit))
    await put(admin, "/v1/taxonomies/windscreen", TAXONOMY)
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-01-01"))
    return admin


async def put(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> Any:
    """PUT that must succeed."""
    answer = await client.put(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> Any:
    """POST that must succeed."""
    answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


TAXONOMY: dict[str, Any] = {
    "causes": [
        {
            "id": "window_replacement",
            "name": "Window replacement",
            "children": [
                {"id": "quality", "name": "Quality"},
                {"id": "right_window", "name": "Right window present", "process_owner": "supply"},
                {"id": "speed", "name": "Speed", "process_owner": "planning"},
            ],
        },
        {"id": "appointment", "name": "Making an appointment", "process_owner": "planning"},
    ]
}


def matrix(valid_from: str, *, quality: str = "1") -> dict[str, Any]:
    return {
        "taxonomy": "windscreen",
        "valid_from": valid_from,
        "cells": [
            {"role": "mechanic", "cause": "quality", "influence": quality},
            {"role": "mechanic", "cause": "speed", "influence": "0.5"},
            {"role": "scheduler", "cause": "speed", "influence": "0.25"},
        ],
    }


def assignment(
    employee: str, role: str, org_unit: str, *, begins: str = "2026-01-01", ends: str | None = None
) -> dict[str, Any]:
    return {"employee": employee, "role": role, "org_unit": org_unit, "from": begins, "to": ends}


ROLES = {"m1": "mechanic", "m2": "mechanic", "s1": "scheduler"}


def job(
    id: str, *people: str, customer: str = "c1", unverified: Sequence[str] = (), at: str = JOB_TIME
) -> dict[str, Any]:
    """An interaction with these people in their usual role."""
    return {
        "id": id,
        "occurred_at": at,
        "customer_ref": customer,
        "org_unit": "north",
        "touchpoint": "repair",
        "participants": [
            {"employee": who, "role": ROLES[who]} | ({"verified": False} if who in unverified else {})
            for who in people
        ],
    }


def key_of(customer: str) -> str:
    return customer_key(ENVIRONMENT["pseudonym_key"], customer)


def response(
    *causes: str,
    ref: str | None = None,
    nps: int = 10,
    id: UUID | None = None,
    version: int = 1,
    customer: str | None = "c1",
    survey_type: Any = "transactional",
    signed: bool = False,
    erased: bool = False,
    deleted: bool = False,
    taxonomy: str | None = None,
) -> SurveyResponse:
    """A survey response naming these second causes and this interaction."""
    when = datetime(2026, 3, 3, 8, tzinfo=UTC)
    retracted = erased or deleted
    return SurveyResponse(
        version=version,
        response_id=id or uuid7(),
        customer=key_of(customer) if customer else None,
        interaction_ref=ref,
        link_signed=signed,
        erased=erased,
        deleted=deleted,
        facts=ResponseFacts(
            connection="formbricks",
            survey_id="s",
            survey_type=survey_type,
            taxonomy=taxonomy,
            day=date(2026, 3, 3),
            submitted_at=when,
            updated_at=when,
            received_at=when,
            scores=Scores() if retracted else Scores(nps=nps),
            causes=()
            if retracted
            else tuple(Cause(level1="window_replacement", level2=one) for one in causes),
        ),
    )


async def ledger(client: httpx.AsyncClient, response_id: UUID) -> Any:
    """The attribution as the API answers it."""
    answer = await client.get(f"/v1/attributions/{response_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def shares(attribution: Mapping[str, Any]) -> dict[str, str]:
    """Subject → share, of the entries that have one; a subject with two entries is summed."""
    total: dict[str, int] = {}
    for entry in attribution["entries"]:
        millionths = int(entry["share"].replace(".", ""))
        total[entry["subject_id"]] = total.get(entry["subject_id"], 0) + millionths
    return {who: f"{share / 1_000_000:.6f}" for who, share in total.items() if share}


def reasons(attribution: Mapping[str, Any], subject: str) -> set[str]:
    return {entry["reason"] for entry in attribution["entries"] if entry["subject_id"] == subject}
