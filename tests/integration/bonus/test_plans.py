from typing import Any

import pytest

from .office import CURVE, WAIVED, Office, plan_body

COVERED = {"kind": "coverage", "minimum": "0.8"}
COMPONENT: dict[str, Any] = plan_body()["components"][0]


async def test_a_draft_is_replaced_and_a_published_plan_never_changes(office: Office) -> None:
    draft = (await office.admin.put("/v1/plans/quarterly", json=plan_body())).json()
    changed = (await office.admin.put("/v1/plans/quarterly", json=plan_body(name="Better"))).json()
    assert (draft["version"], changed["version"], changed["status"]) == (1, 1, "draft")
    assert draft["text_hash"] != changed["text_hash"]

    published = (await office.admin.post("/v1/plans/quarterly/publish", json=WAIVED)).json()
    assert (published["status"], published["text_hash"]) == ("published", changed["text_hash"])
    same = (await office.admin.put("/v1/plans/quarterly", json=plan_body(name="Better"))).json()
    assert (same["version"], same["status"]) == (1, "published")
    later = (await office.admin.put("/v1/plans/quarterly", json=plan_body(name="Later"))).json()
    assert (later["version"], later["status"]) == (2, "draft")

    first = (await office.admin.get("/v1/plans/quarterly?version=1")).json()
    assert (first["name"], first["status"]) == ("Better", "published")
    for_everybody = (await office.employee("m1").get("/v1/plans/quarterly")).json()
    assert (for_everybody["version"], for_everybody["name"]) == (1, "Better")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"components": [COMPONENT | {"weight": "0.9"}]}, "/body/components"),
        ({"components": [COMPONENT | {"weight": "1", "scope": "everybody"}]}, "/body/components/0/scope"),
        (
            {"components": [COMPONENT | {"weight": "1", "curve": CURVE | {"target": "70"}}]},
            "/body/components/0/curve",
        ),
        ({"components": [COMPONENT | {"weight": "1"}], "scheme": "team"}, "/body/components/0/scope"),
        ({"reliability_mode": "B"}, "/body/gates"),
        (
            {"reliability_mode": "B", "scheme": "everyone", "flat_bonus_minor": 1, "gates": [COVERED]},
            "/body/reliability_mode",
        ),
        ({"gates": [{"kind": "coverage", "minimum": "1.2"}]}, "/body/gates/0/minimum"),
        ({"components": [COMPONENT | {"paid": False}]}, "/body/components/0/weight"),
        ({"components": [COMPONENT | {"paid": False, "weight": "0"}]}, "/body/components"),
        ({"components": [COMPONENT | {"weight": "1", "segments": {}}]}, "/body/components/0/segments"),
        (
            {"components": [COMPONENT | {"weight": "1", "segments": {"require": {"channel": []}}}]},
            "/body/components/0/segments/require/channel",
        ),
        ({"role_weights": {"mechanic/": {"own": "1"}}}, "/body/role_weights/mechanic~1"),
        ({"role_weights": {"mechanic": {"own": "0.5"}}}, "/body/role_weights/mechanic"),
        (
            {"other_incentives": [{"metric": "jobs a day", "kind": "efficiency", "weight": "1"}]},
            "/body/other_incentives",
        ),
        ({"gates": [{"kind": "accepted"}, {"kind": "accepted"}]}, "/body/gates"),
        ({"scheme": "everyone"}, "/body/flat_bonus_minor"),
        ({"scheme": "pool"}, "/body/pool_minor"),
        ({"payees": []}, "/body/payees"),
        ({"payees": [{"employee": "m1", "target_bonus_minor": 1.5}]}, "/body/payees/0/target_bonus_minor"),
        (
            {"payees": [{"employee": "m1", "target_bonus_minor": 1, "weights": {"nothing": "1"}}]},
            "/body/payees/0/weights/nothing",
        ),
        ({"surprise": 1}, "/body/surprise"),
    ],
)
async def test_a_plan_that_cannot_work_is_refused_where_it_is_wrong(
    office: Office, changed: dict[str, Any], pointer: str
) -> None:
    answer = await office.admin.put("/v1/plans/quarterly", json=plan_body(**changed))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_weights_may_be_numbers_and_are_the_same_decimals(office: Office) -> None:
    text = (await office.admin.put("/v1/plans/quarterly", json=plan_body())).json()
    components = [part | {"weight": float(part["weight"])} for part in plan_body()["components"]]
    numbers = (await office.admin.put("/v1/plans/quarterly", json=plan_body(components=components))).json()
    assert numbers["text_hash"] == text["text_hash"]
    assert [part["weight"] for part in numbers["components"]] == ["0.6", "0.4"]


async def test_a_draft_tells_of_cliffs_and_strangers(office: Office) -> None:
    jump = [COMPONENT | {"weight": "1", "curve": CURVE | {"at_threshold": "0.5"}}]
    payees = [{"employee": "nobody", "target_bonus_minor": 1}]
    answer = await office.admin.put("/v1/plans/quarterly", json=plan_body(components=jump, payees=payees))
    assert [(one["code"], one["severity"], one["pointer"]) for one in answer.json()["findings"]] == [
        ("unknown_payee", "notice", "/payees"),
        ("cliff", "warning", "/components/0/curve/at_threshold"),
    ]


async def test_a_payee_accepts_the_published_text_in_person(office: Office) -> None:
    plan = await office.publish()
    path, body = "/v1/plans/quarterly/acceptances", {"employee": "m1", "text_hash": plan["text_hash"]}
    assert (await office.employee("m2").post(path, json=body)).status_code == 403
    assert (await office.employee("m1").post(path, json=body | {"text_hash": "x"})).status_code == 409
    assert (await office.employee("m1").post(path, json=body)).status_code == 201
    assert (await office.employee("m1").post(path, json=body)).status_code == 201
    assert (await office.admin.post(path, json=body | {"employee": "s1"})).status_code == 422
    assert (await office.admin.post(path, json=body | {"employee": "m2"})).status_code == 201


async def test_rules_are_for_everybody_and_amounts_are_not(office: Office) -> None:
    await office.publish()
    own = (await office.employee("m1").get("/v1/plans/quarterly")).json()
    assert [payee["employee"] for payee in own["payees"]] == ["m1"]
    council = (await office.box.http("works_council").get("/v1/plans")).json()["items"]
    assert [(plan["id"], plan["payees"], plan["payee_count"]) for plan in council] == [("quarterly", [], 2)]
    assert (await office.finance.put("/v1/plans/quarterly", json=plan_body())).status_code == 403


async def test_a_draft_is_not_for_everybody(office: Office) -> None:
    await office.admin.put("/v1/plans/quarterly", json=plan_body())
    for path in ("/v1/plans/quarterly", "/v1/plans/quarterly?version=1"):
        assert (await office.employee("m1").get(path)).status_code == 404
    assert (await office.employee("m1").get("/v1/plans")).json()["items"] == []
