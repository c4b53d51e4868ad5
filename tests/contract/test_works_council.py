"""The works council reads rules, aggregates and disputes; never comments, nor what is about one person."""

import re

import pytest
from fastapi.routing import APIRoute

from fairloop.auth import Role
from fairloop.service import load_service
from fairloop.services import SERVICES
from fairloop.web.routes import ROLES_EXTENSION

READABLE = {
    "survey_intake": (),
    "attribution": (
        "/v1/org-units",
        "/v1/roles",
        "/v1/taxonomies",
        "/v1/taxonomies/{id}",
        "/v1/influence-matrices",
        "/v1/influence-matrices/{id}",
        "/v1/disputes",
        "/v1/disputes/{id}",
    ),
    "kpi_aggregator": (
        "/v1/kpi-settings",
        "/v1/kpi-settings/{kpi}",
        "/v1/kpis/{kpi}/{scope_type}/{id}",
        "/v1/kpis/{kpi}/cause-answers",
    ),
    "closed_loop": (
        "/v1/alert-rules",
        "/v1/alert-rules/{id}",
        "/v1/sla-policies",
        "/v1/calendars",
        "/v1/behaviours",
        "/v1/behaviours/{id}",
        "/v1/adoption/{scope_type}/{id}",
    ),
    "bonus": (
        "/v1/plans",
        "/v1/plans/{id}",
        "/v1/periods",
        "/v1/periods/{id}",
        "/v1/periods/{id}/runs",
        "/v1/runs/{id}",
        "/v1/organisation-goals",
        "/v1/goal-reviews",
        "/v1/goal-reviews/{plan}/{component}",
    ),
}
"""Rules, aggregates and disputes, by service."""

OF_PERSONS = re.compile(
    r"statements|payroll|adjustments|inquiries|acceptances|/goals/|/digests|/observations|/trainings|/snapshots"
    r"|/employees|/assignments|/accounts|/interactions|/customers|/quarantine|/employee/\{"
)
"""Paths whose answers are about one person, or hold every single answer."""


def operations(package: str) -> list[tuple[str, str, set[str]]]:
    """Method, path and roles of every route."""
    declared = [route for routes in load_service(package).routes for route in routes.router.routes]
    return [
        (method, route.path_format, set((route.openapi_extra or {})[ROLES_EXTENSION]))
        for route in declared
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]


@pytest.mark.parametrize("package", SERVICES.values())
def test_the_works_council_reads_rules_aggregates_and_disputes(package: str) -> None:
    readable = {
        path for method, path, roles in operations(package) if method == "GET" and Role.WORKS_COUNCIL in roles
    }
    assert set(READABLE[package]) <= readable


@pytest.mark.parametrize("package", SERVICES.values())
def test_the_works_council_changes_nothing(package: str) -> None:
    changing = [one for one in operations(package) if one[0] != "GET" and Role.WORKS_COUNCIL in one[2]]
    assert changing == []


@pytest.mark.parametrize("package", SERVICES.values())
def test_nothing_about_one_person_is_for_the_works_council(package: str) -> None:
    told = [
        path
        for _, path, roles in operations(package)
        if Role.WORKS_COUNCIL in roles and OF_PERSONS.search(path)
    ]
    assert told == []
