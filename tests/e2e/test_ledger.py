"""Seven answers through the running services: who gets which share, and what every figure is made of."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.installation import Installation, installed

pytestmark = pytest.mark.timeout(300)

MECHANICS: list[dict[str, Any]] = [
    {"employee": "m1", "role": "mechanic"},
    {"employee": "m2", "role": "mechanic"},
]
M1 = MECHANICS[:1]
SCHEDULED = [*M1, {"employee": "skip", "role": "scheduler"}]
HALF_VERIFIED = [*M1, {**MECHANICS[1], "verified": False}]

# number: (score, second-level causes, participants; None: nothing matches)
ANSWERS: dict[int, tuple[int, list[str], list[dict[str, Any]] | None]] = {
    1: (10, ["quality"], MECHANICS),
    2: (2, ["speed"], SCHEDULED),
    3: (3, ["quality", "right_window"], M1),
    4: (9, [], M1),
    5: (0, ["quality"], HALF_VERIFIED),
    6: (7, ["quality"], M1),
    7: (6, ["quality"], None),
}
SHARES = {
    1: {"m1": "0.500000", "m2": "0.500000"},
    2: {"m1": "0.500000", "skip": "0.250000", "operations": "0.250000"},
    3: {"m1": "0.500000", "supply": "0.500000"},
    4: {"all": "1.000000"},
    5: {"m1": "0.500000", "all": "0.500000"},
    6: {"m1": "1.000000"},
    7: {"all": "1.000000"},
}

# (scope, id, view): n, weight, n_eff, value, interval
FIGURES: dict[tuple[str, str, str], tuple[Any, ...]] = {
    ("employee", "m1", "influenced"): (5, "3.000000", 4.5, -33.3, [-73.6, 33.6]),
    ("employee", "m1", "all"): (6, "6.000000", 6.0, -16.7, None),
    ("org_unit", "north", "influenced"): (5, "3.500000", 4.4545, -14.3, None),
    ("organisation", "all", "all"): (7, "7.000000", 7.0, -28.6, None),
    ("org_unit", "planning", "influenced"): (1, "0.250000", 1.0, -100.0, None),
    ("org_unit", "operations", "influenced"): (1, "0.250000", 1.0, -100.0, None),
    ("org_unit", "supply", "influenced"): (1, "0.500000", 1.0, -100.0, None),
}


def company() -> list[tuple[str, str, dict[str, Any]]]:
    children = [
        {"id": "quality", "name": "Quality"},
        {"id": "speed", "name": "Speed", "process_owner": "operations"},
        {"id": "right_window", "name": "Right window", "process_owner": "supply"},
    ]
    cells = [
        {"role": "mechanic", "cause": "quality", "influence": "1"},
        {"role": "mechanic", "cause": "speed", "influence": "0.5"},
        {"role": "scheduler", "cause": "speed", "influence": "0.25"},
    ]
    people = {"m1": ("mechanic", "north"), "m2": ("mechanic", "north"), "skip": ("scheduler", "planning")}
    units = {"company": None, **dict.fromkeys(("north", "planning", "operations", "supply"), "company")}
    return [
        *(("attribution", f"/v1/org-units/{id}", {"name": id, "parent": up}) for id, up in units.items()),
        *(("attribution", f"/v1/roles/{role}", {"name": role}) for role in ("mechanic", "scheduler")),
        *(("attribution", f"/v1/employees/{id}", {"name": id}) for id in people),
        *(
            (
                "attribution",
                f"/v1/assignments/{id}",
                {"employee": id, "role": role, "org_unit": unit, "from": "2026-01-01"},
            )
            for id, (role, unit) in people.items()
        ),
        (
            "attribution",
            "/v1/taxonomies/causes",
            {"causes": [{"id": "work", "name": "Work", "children": children}]},
        ),
        (
            "attribution",
            "/v1/influence-matrices/causes",
            {"taxonomy": "causes", "valid_from": "2026-01-01", "cells": cells},
        ),
        ("kpi-aggregator", "/v1/kpi-settings/nps", {"min_n": 1}),
        ("survey-intake", "/v1/connections/own", {"platform": "fairloop", "survey_type": "transactional"}),
    ]


def answer(number: int) -> dict[str, Any]:
    score, causes, participants = ANSWERS[number]
    return {
        "connection": "own",
        "survey_id": "ledger",
        "response_id": f"r{number}",
        "submitted_at": "2026-02-01T10:00:00Z",
        "scores": {"nps": score},
        "causes": [{"level1": "work", "level2": cause} for cause in causes],
        "customer": {"ref": f"customer-{number}"},
        **({"interaction_ref": f"job-{number}"} if participants else {}),
    }


def interaction(number: int) -> dict[str, Any]:
    return {
        "id": f"job-{number}",
        "occurred_at": "2026-02-01T08:00:00Z",
        "customer_ref": f"customer-{number}",
        "org_unit": "north",
        "touchpoint": "work",
        "participants": ANSWERS[number][2],
    }


@pytest.fixture(scope="module")
def ledger_installation(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("ledger") / "home", prepared=prepared) as up:
        headers = {"Authorization": f"Bearer {up.state()['tokens']['admin']}"}
        for service, path, body in company():
            done = httpx.put(up.url(service) + path, json=body, headers=headers)
            assert done.is_success, done.text
        yield up


@pytest.fixture(scope="module")
async def ids(ledger_installation: Installation) -> dict[int, str]:
    """Half of the jobs are known before the answers, half come later: it makes no difference."""
    jobs = [interaction(number) for number, (_, _, participants) in ANSWERS.items() if participants]
    async with (
        ledger_installation.client("attribution") as attribution,
        ledger_installation.client("survey-intake") as intake,
    ):
        assert (await attribution.post("/v1/interactions", json={"interactions": jobs[::2]})).is_success
        batch = await intake.post("/v1/responses", json={"responses": [answer(number) for number in ANSWERS]})
        assert (await attribution.post("/v1/interactions", json={"interactions": jobs[1::2]})).is_success
    outcomes = batch.json()["outcomes"]
    assert [outcome["outcome"] for outcome in outcomes] == ["accepted"] * 7, batch.text
    return {number: outcome["response_id"] for number, outcome in zip(ANSWERS, outcomes, strict=True)}


async def looked_up(client: httpx.AsyncClient, path: str, **parameters: str) -> Any:
    answer = await client.get(path, params=parameters)
    return answer.json() if answer.is_success else None


@pytest.mark.parametrize("number", ANSWERS)
async def test_the_shares_of_every_answer(
    ledger_installation: Installation, ids: dict[int, str], number: int
) -> None:
    async with ledger_installation.client("attribution") as client, asyncio.timeout(30):
        while True:
            found = await looked_up(client, f"/v1/attributions/{ids[number]}")
            if found:
                entries = found["entries"]
                given = {
                    entry["subject_id"]: entry["share"] for entry in entries if entry["share"] != "0.000000"
                }
                if given == SHARES[number]:
                    break
            await asyncio.sleep(0.1)
    assert all(entry["reason"] for entry in entries)
    assert sum(round(float(entry["share"]) * 1_000_000) for entry in entries) == 1_000_000


@pytest.mark.parametrize("scope", FIGURES, ids=" ".join)
async def test_the_figures_they_make(
    ledger_installation: Installation, ids: dict[int, str], scope: tuple[str, str, str]
) -> None:
    kind, id, view = scope
    n, weight, n_eff, value, interval = FIGURES[scope]
    async with ledger_installation.client("kpi-aggregator") as client, asyncio.timeout(30):
        while True:
            period = {"from": "2026-01-01", "to": "2026-04-01"}
            figure = await looked_up(client, f"/v1/kpis/nps/{kind}/{id}", view=view, **period)
            if figure and (figure["n"], figure["weight"], figure["value"]) == (n, weight, value):
                break
            await asyncio.sleep(0.1)
    assert figure["n_eff"] == n_eff
    assert interval is None or figure["ci95"] == interval
