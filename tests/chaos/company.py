"""The company whose customers answer: units, people, causes, rules, and the requests that tell Fairloop about it."""

import base64
from datetime import datetime, timedelta
from typing import Any

Request = tuple[str, str, dict[str, Any]]
"""(service, path, body) of a PUT."""

SECRET = "whsec_" + base64.b64encode(b"known to the tests only.").decode()

TOP = "company"
UNITS = ("north", "south", "supply", "planning")
PEOPLE = {
    **{f"mechanic-{n}": ("mechanic", "north" if n < 4 else "south") for n in range(8)},
    **{f"scheduler-{n}": ("scheduler", "planning") for n in range(2)},
}
"""Employee → (role, unit)."""
MANAGERS = {"north": "nora", "south": "sid", "planning": "pia", "supply": "sue"}
INFLUENCE = {
    ("mechanic", "quality"): "1",
    ("mechanic", "speed"): "0.5",
    ("mechanic", "cleanliness"): "0.7",
    ("scheduler", "speed"): "0.25",
    ("scheduler", "lead_time"): "1",
}
OWNERS = {
    "quality": None,
    "speed": "planning",
    "cleanliness": None,
    "lead_time": None,
    "right_window": "supply",
}
"""Second-level cause → the unit that owns the process."""

TRANSACTIONAL = "jobs"
RELATIONSHIP = "relations"
URGENT = "urgent"
"""The alert rule whose deadlines pass within the run."""
URGENT_SCORE = 2
PLAN = "mechanics"


def requests() -> list[Request]:
    """In an order in which everything named exists."""
    return [*_directory(), *_causes(), *_follow_up(), *_surveys()]


def _directory() -> list[Request]:
    found: list[Request] = [("attribution", f"/v1/org-units/{TOP}", {"name": "Company", "parent": None})]
    found += [("attribution", f"/v1/org-units/{unit}", {"name": unit, "parent": TOP}) for unit in UNITS]
    found += [
        ("attribution", f"/v1/roles/{role}", {"name": role}) for role in ("mechanic", "scheduler", "manager")
    ]
    for unit, manager in MANAGERS.items():
        found += _employee(manager, "manager", unit, {"name": manager, "email": f"{manager}@company.test"})
    for person, (role, unit) in PEOPLE.items():
        found += _employee(
            person, role, unit, {"name": person, "manager": MANAGERS[unit], "email": f"{person}@company.test"}
        )
    return found


def _employee(id: str, role: str, unit: str, body: dict[str, Any]) -> list[Request]:
    assignment = {"employee": id, "role": role, "org_unit": unit, "from": "2020-01-01"}
    return [
        ("attribution", f"/v1/employees/{id}", body),
        ("attribution", f"/v1/assignments/{id}", assignment),
    ]


def _causes() -> list[Request]:
    children = [
        {"id": cause, "name": cause, **({"process_owner": owner} if owner else {})}
        for cause, owner in OWNERS.items()
    ]
    cells = [
        {"role": role, "cause": cause, "influence": influence}
        for (role, cause), influence in INFLUENCE.items()
    ]
    return [
        (
            "attribution",
            "/v1/taxonomies/causes",
            {"causes": [{"id": "work", "name": "Work", "children": children}]},
        ),
        (
            "attribution",
            "/v1/influence-matrices/causes",
            {"taxonomy": "causes", "valid_from": "2020-01-01", "cells": cells},
        ),
    ]


def _follow_up() -> list[Request]:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return [
        (
            "closed-loop",
            "/v1/calendars/always",
            {"timezone": "UTC", "weekly": {day: [["00:00", "24:00"]] for day in days}},
        ),
        (
            "closed-loop",
            f"/v1/sla-policies/{URGENT}",
            {
                "calendar": "always",
                "target_minutes": {"acknowledge": 0.1, "contact": 0.2, "resolve": 0.3},
                "warn_at": "0.5",
            },
        ),
        (
            "closed-loop",
            f"/v1/alert-rules/{URGENT}",
            {"when": [{"field": "nps", "op": "<=", "value": URGENT_SCORE}], "sla_policy": URGENT},
        ),
        (
            "kpi-aggregator",
            "/v1/kpi-settings/nps",
            {"min_n": 1, "shift": {"z": 1.96, "window_days": 10}},  # so that chance moves some figures
        ),
    ]


def _surveys() -> list[Request]:
    mapping = {
        "nps": "nps",
        "cause1": "rc1",
        "cause2": "rc2",
        "interaction_ref": "job",
        "customer_ref": "customer",
        "comment": "why",
    }
    connection = {
        "platform": "formbricks",
        "secrets": [SECRET],
        "taxonomy": "causes",
        "mapping": mapping,
    }
    return [
        (
            "survey-intake",
            f"/v1/connections/{TRANSACTIONAL}",
            {**connection, "survey_type": "transactional"},
        ),
        ("survey-intake", f"/v1/connections/{RELATIONSHIP}", {**connection, "survey_type": "relationship"}),
    ]


def bonus_plan() -> dict[str, Any]:
    """Everybody's own figure, their unit's and the company's."""
    curve = {"threshold": "-60", "target": "0", "excellence": "60", "cap": "1.5"}

    def component(id: str, scope: str, weight: str, **more: str) -> dict[str, Any]:
        view = "influenced" if scope == "self" else "all"
        return {
            "id": id,
            "kpi": "nps",
            "scope": scope,
            "view": view,
            "weight": weight,
            "curve": curve,
            **more,
        }

    return {
        "name": "Mechanics",
        "mode": "paid",
        "currency": "EUR",
        "scheme": "overachievement",
        "components": [
            component("own", "self", "0.6", fallback="organisation"),
            component("company", "organisation", "0.4"),
        ],
        "gates": [{"kind": "min_responses", "minimum": 2}, {"kind": "employed"}],
        "payees": [{"employee": person, "target_bonus_minor": 100_001} for person in sorted(PEOPLE)],
        "notice_days": 0,
    }


def days_counted(start: datetime) -> dict[str, str]:
    """The days of every answer of a run that began then, as `from` and `to`."""
    today = start.date()
    return {
        "from": (today - timedelta(days=40)).isoformat(),
        "to": (today + timedelta(days=2)).isoformat(),
    }
