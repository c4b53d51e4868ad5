"""The directory: idempotent, published without personal data, imported all or nothing."""

from typing import Any

import pytest
from tests.integration.attribution.company import (
    TAXONOMY,
    assignment,
    key_of,
    matrix,
    put,
    set_up,
)

from fairloop.events import Account, Assignment, Employee, OrgUnit, Role
from fairloop.testing import Box


async def test_everything_put_is_read_back_and_published(box: Box) -> None:
    admin = await set_up(box)
    await put(admin, "/v1/accounts/c1", {"owner": "m1"})
    unit = (await admin.get("/v1/org-units/north")).json()
    assert (unit["name"], unit["parent"]) == ("North", "company")
    held = (await admin.get("/v1/assignments/m1-mechanic")).json()
    assert (held["from"], held["to"], held["org_unit"]) == ("2026-01-01", None, "north")
    assert (await admin.get("/v1/roles/mechanic")).json()["customer_facing"] is True
    assert (await admin.get("/v1/employees/m1")).json()["email"] == "m1@example.org"

    assert [e.org_unit for e in await box.published(OrgUnit)] == ["company", "north", "supply", "planning"]
    assert len(await box.published(Role)) == 3
    assert len(await box.published(Assignment)) == 4
    assert await box.published(Account) == [Account(version=1, customer=key_of("c1"), owner="m1")]
    employees = await box.published(Employee)
    assert "Name of" not in str(employees)
    assert "example.org" not in str(employees)


async def test_lists_go_page_by_page(box: Box) -> None:
    admin = await set_up(box)
    first = (await admin.get("/v1/org-units?limit=3")).json()
    rest = (await admin.get(f"/v1/org-units?limit=3&cursor={first['next']}")).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ["company", "north", "planning", "supply"]
    assert rest["next"] is None
    for kind in ("roles", "employees", "assignments", "accounts", "taxonomies", "influence-matrices"):
        assert (await admin.get(f"/v1/{kind}")).status_code == 200


async def test_the_same_content_is_no_new_version(box: Box) -> None:
    admin = await set_up(box)
    before = len(await box.published(OrgUnit))
    again = await put(admin, "/v1/org-units/north", {"name": "North", "parent": "company"})
    assert again["version"] == 1
    renamed = await put(admin, "/v1/org-units/north", {"name": "Nord", "parent": "company"})
    assert renamed["version"] == 2
    events = await box.published(OrgUnit)
    assert len(events) == before + 1
    assert (events[-1].name, events[-1].version) == ("Nord", 2)


async def test_a_changed_name_of_a_person_is_nobody_elses_business(box: Box) -> None:
    admin = await set_up(box)
    before = await box.published(Employee)
    await put(admin, "/v1/employees/m1", {"name": "New name"})
    assert await box.published(Employee) == before
    assert (await admin.get("/v1/employees/m1")).json()["name"] == "New name"
    await put(admin, "/v1/employees/m1", {"name": "New name", "active": False})
    assert (await box.published(Employee))[-1] == Employee(version=2, employee="m1", active=False)


async def test_a_unit_below_itself_is_refused(box: Box) -> None:
    admin = await set_up(box)
    for unit in ("company", "north"):
        answer = await admin.put(f"/v1/org-units/{unit}", json={"name": "x", "parent": "north"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/parent"


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/org-units/u", {"parent": None}, "/body/name"),
        ("/v1/org-units/u", {"name": "x", "color": "red"}, "/body/color"),
        ("/v1/assignments/a", assignment("m1", "r", "u", ends="2026-01-01"), "/body/to"),
        ("/v1/assignments/a", assignment("m1", "r", "u") | {"from": "soon"}, "/body/from"),
        (
            "/v1/taxonomies/t",
            {"causes": [{"id": "a", "name": "x"}, {"id": "a", "name": "y"}]},
            "/body/causes",
        ),
        ("/v1/influence-matrices/m", matrix("2026-01-01", quality="1.1"), "/body/cells/0/influence"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_pointer(
    box: Box, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await box.http("admin").put(path, json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_level_two_ids_are_unique_within_a_taxonomy(box: Box) -> None:
    admin = box.http("admin")
    twice = {"causes": [dict(TAXONOMY["causes"][0]), dict(TAXONOMY["causes"][0], id="other")]}
    answer = await admin.put("/v1/taxonomies/t", json=twice)
    assert answer.status_code == 422
    assert "quality" in answer.json()["detail"]


async def test_a_matrix_names_causes_of_its_taxonomy_once(box: Box) -> None:
    admin = await set_up(box)
    cell = {"role": "mechanic", "cause": "quality", "influence": "1"}
    body = {
        "taxonomy": "windscreen",
        "valid_from": "2026-05-01",
        "cells": [cell, cell, {"role": "mechanic", "cause": "weather", "influence": "0.3"}],
    }
    answer = await admin.put("/v1/influence-matrices/m", json=body)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/body/cells/1", "/body/cells/2/cause"]


async def test_older_matrix_versions_stay(box: Box) -> None:
    admin = await set_up(box)
    await put(admin, "/v1/influence-matrices/windscreen", matrix("2026-06-01", quality="0.500"))
    newest = (await admin.get("/v1/influence-matrices/windscreen")).json()
    assert (newest["valid_from"], newest["cells"][0]["influence"]) == ("2026-06-01", "0.5")
    older = (await admin.get("/v1/influence-matrices/windscreen?valid_from=2026-01-01")).json()
    assert older["cells"][0]["influence"] == "1"
    missing = await admin.get("/v1/influence-matrices/windscreen?valid_from=2020-01-01")
    assert missing.status_code == 404


CSV = """kind,id,name,parent,employee,role,org_unit,from,to,owner,customer_ref,manager,active
org_unit,east,East,company,,,,,,,,,
org_unit,company,Company,,,,,,,,,,
role,driver,Driver,,,,,,,,,,
employee,d1,Dana,,,,,,,,,d2,true
employee,d2,Dirk,,,,,,,,,,false
assignment,d1-driver,,,d1,driver,east,2026-01-01,,,,,
account,,,,,,,,,d1,customer-9,,
"""


async def test_a_csv_import_creates_everything(box: Box) -> None:
    admin = box.http("admin")
    headers = {"content-type": "text/csv"}
    dry = await admin.post("/v1/directory/import?dry_run=true", content=CSV, headers=headers)
    assert dry.json()["dry_run"] is True
    assert (await box.published(OrgUnit), (await admin.get("/v1/roles")).json()["items"]) == ([], [])

    done = await admin.post("/v1/directory/import", content=CSV, headers=headers)
    assert done.json()["counts"] == dry.json()["counts"]
    assert done.json()["counts"]["employee"] == {"created": 2}
    assert (await admin.get("/v1/accounts/customer-9")).json()["owner"] == "d1"
    assert (await admin.get("/v1/employees/d2")).json()["active"] is False
    assert (await box.published(Assignment))[0].org_unit == "east"

    again = await admin.post("/v1/directory/import", content=CSV, headers=headers)
    assert again.json()["counts"]["org_unit"] == {"unchanged": 2}
    assert len(await box.published(OrgUnit)) == 2


async def test_one_role_is_held_in_one_place_at_a_time(box: Box) -> None:
    admin = await set_up(box)
    before = await box.published(Assignment)
    answer = await admin.put("/v1/assignments/moved", json=assignment("m1", "mechanic", "supply"))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/body/from"]
    assert "by assignment m1-mechanic" in answer.json()["detail"]
    assert await box.published(Assignment) == before

    await put(admin, "/v1/assignments/second-role", assignment("m1", "scheduler", "supply"))
    await put(admin, "/v1/assignments/m1-mechanic", assignment("m1", "mechanic", "north", ends="2026-07-01"))
    moved = assignment("m1", "mechanic", "supply") | {"from": "2026-07-01"}
    await put(admin, "/v1/assignments/moved", moved)
    answer = await admin.put("/v1/assignments/moved", json=moved | {"from": "2026-06-30"})
    assert answer.status_code == 422


async def test_an_import_judges_overlaps_by_what_would_hold_afterwards(box: Box) -> None:
    admin = await set_up(box)
    ends = {"id": "m1-mechanic"} | assignment("m1", "mechanic", "north", ends="2026-07-01")
    moved = {"id": "moved"} | assignment("m1", "mechanic", "supply")
    answer = await admin.post("/v1/directory/import", json={"assignments": [ends, moved]})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/assignments/0/from",
        "/assignments/1/from",
    ]
    moved["from"] = "2026-07-01"
    answer = await admin.post("/v1/directory/import", json={"assignments": [moved, ends]})
    assert answer.json()["counts"]["assignment"] == {"created": 1, "changed": 1}


async def test_an_import_with_an_error_imports_nothing(box: Box) -> None:
    admin = box.http("admin")
    broken = CSV + "assignment,a2,,,nobody,driver,,2026-01-01,,,,,\nplanet,p,,,,,,,,,,,\n"
    answer = await admin.post("/v1/directory/import", content=broken, headers={"content-type": "text/csv"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/line/9/org_unit", "/line/10"]
    assert await box.published(OrgUnit) == []


async def test_an_import_finds_dangling_references_cycles_and_repetitions(box: Box) -> None:
    admin = box.http("admin")
    document: dict[str, Any] = {
        "org_units": [
            {"id": "a", "name": "A", "parent": "b"},
            {"id": "b", "name": "B", "parent": "a"},
            {"id": "a", "name": "again", "parent": None},
        ],
        "roles": [{"id": "driver", "name": "Driver"}],
        "assignments": [
            {"id": "x", "employee": "d1", "role": "driver", "org_unit": "a", "from": "2026-01-01"}
        ],
    }
    answer = await admin.post("/v1/directory/import", json=document)
    assert answer.status_code == 422
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers == ["/org_units/2", "/assignments/0/employee"]
    del document["org_units"][2], document["assignments"]
    answer = await admin.post("/v1/directory/import", json=document)
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/org_units/0/parent",
        "/org_units/1/parent",
    ]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("[]", "application/json"),
        ("{", "application/json"),
        (b"\xff\xfe", "text/csv"),
        ('kind\n"a', "text/csv"),
    ],
)
async def test_what_is_neither_csv_nor_json_is_refused(box: Box, content: str | bytes, kind: str) -> None:
    answer = await box.http("admin").post(
        "/v1/directory/import", content=content, headers={"content-type": kind}
    )
    assert answer.status_code == 422
