from typing import Any

import pytest

from bonus.main import service
from fairloop.embedded import PostgresServer
from fairloop.events import Role
from fairloop.testing import running

from .aggregator import Aggregator, figure
from .office import CURVE, WAIVED, Office, plan_body

PLAN = "/v1/plans/quarterly"
UNITS = plan_body()["components"]


def enough(aggregator: Aggregator) -> None:
    aggregator.figures = [figure("org_unit:north", 40.0, n=250)]


async def drafted(office: Office, **changed: Any) -> dict[str, Any]:
    put = await office.admin.put(PLAN, json=plan_body(**changed))
    assert put.status_code == 200, put.text
    return dict(put.json())


async def test_a_plan_without_findings_is_published_as_it_is(office: Office, aggregator: Aggregator) -> None:
    enough(aggregator)
    await drafted(office)
    answer = await office.admin.post(f"{PLAN}/publish")
    assert (answer.status_code, answer.json()["findings"]) == (200, [])


async def test_pay_on_a_handful_of_responses_is_stopped_until_somebody_answers_for_it(
    office: Office, aggregator: Aggregator
) -> None:
    aggregator.figures = [figure("org_unit:north", 33.0, n=20)]
    await drafted(office)
    stopped = await office.admin.post(f"{PLAN}/publish")
    assert stopped.status_code == 409
    assert "too_few_responses at /components/0" in stopped.json()["detail"]
    assert "north has 20 responses in the last 90 days, fewer than 200" in stopped.json()["detail"]
    assert (await office.admin.get(PLAN)).json()["status"] == "draft"

    reason = "the first quarter, agreed with the works council"
    only_one = {"code": "too_few_responses", "pointer": "/components/0", "reason": reason}
    still = await office.admin.post(f"{PLAN}/publish", json={"waivers": [only_one]})
    assert still.status_code == 409
    assert "/components/1" in still.json()["detail"]

    both = {"waivers": [{"code": "too_few_responses", "reason": reason}]}
    assert (await office.admin.post(f"{PLAN}/publish", json=both)).status_code == 200
    for_everybody = (await office.employee("m1").get(PLAN)).json()
    assert [
        (one["code"], one["waived"]["by"], one["waived"]["reason"]) for one in for_everybody["findings"]
    ] == [("too_few_responses", "ada", reason)] * 2


async def test_without_the_aggregator_nobody_knows_how_many_responses_there_are(
    office: Office, aggregator: Aggregator
) -> None:
    aggregator.down = True
    await drafted(office)
    stopped = await office.admin.post(f"{PLAN}/publish")
    assert stopped.status_code == 409
    assert "responses_unknown" in stopped.json()["detail"]
    waived = {"waivers": [{"code": "responses_unknown", "reason": "counted by hand: 600"}]}
    assert (await office.admin.post(f"{PLAN}/publish", json=waived)).status_code == 200


@pytest.mark.parametrize(
    ("waiver", "pointer"),
    [
        ({"code": "cliff", "reason": "short"}, "/body/waivers/0/reason"),
        ({"code": "no_such_code", "reason": "a reason that is long enough"}, "/body/waivers/0/code"),
        ({"reason": "a reason that is long enough"}, "/body/waivers/0/code"),
    ],
)
async def test_a_waiver_names_a_finding_and_a_reason(
    office: Office, waiver: dict[str, Any], pointer: str
) -> None:
    await drafted(office)
    answer = await office.admin.post(f"{PLAN}/publish", json={"waivers": [waiver]})
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_a_plan_that_only_tracks_may_have_few_responses(office: Office) -> None:
    await drafted(office, mode="track_only")
    assert (await office.admin.post(f"{PLAN}/publish")).status_code == 200


async def test_findings_can_be_asked_for_before_publishing(office: Office) -> None:
    jump = [UNITS[0] | {"weight": "1", "curve": CURVE | {"at_threshold": "0.5"}}]
    busy = [{"metric": "jobs a day", "kind": "efficiency", "weight": "0.7"}]
    await drafted(office, components=jump, other_incentives=busy, notice_days=7)
    answer = await office.finance.get(f"{PLAN}/findings")
    assert [(one["code"], one["pointer"]) for one in answer.json()["items"]] == [
        ("short_notice", "/notice_days"),
        ("efficiency_outweighs_customers", "/other_incentives"),
        ("cliff", "/components/0/curve/at_threshold"),
        ("too_few_responses", "/components/0"),
    ]
    assert (await office.employee("m1").get(f"{PLAN}/findings")).status_code == 403


async def test_publishing_again_says_what_was_said_and_changes_nothing(office: Office) -> None:
    first = await office.publish()
    again = await office.admin.post(f"{PLAN}/publish", json=WAIVED)
    assert (again.status_code, again.json()) == (200, first)


async def test_who_meets_no_customers_should_not_depend_more_on_the_own_score(
    office: Office, aggregator: Aggregator
) -> None:
    enough(aggregator)
    await office.box.deliver(
        [
            Role(version=1, role="mechanic", name="Mechanic"),
            Role(version=1, role="planner", name="Planner", customer_facing=False),
        ]
    )
    weights = {
        "mechanic": {"own": "0.5", "unit": "0.5"},
        "planner": {"own": "0.7", "unit": "0.3"},
    }
    found = (await drafted(office, role_weights=weights))["findings"]
    assert [(one["code"], one["pointer"]) for one in found] == [
        ("back_office_weighs_more", "/role_weights/planner")
    ]
    fairer = weights | {"planner": {"own": "0.1", "unit": "0.9"}}
    assert (await drafted(office, role_weights=fairer))["findings"] == []


async def test_where_publishing_is_open_warnings_are_read_and_only_what_turns_a_plan_around_blocks(
    postgres: PostgresServer, aggregator: Aggregator
) -> None:
    aggregator.figures = [figure("org_unit:north", 33.0, n=20)]
    speed = [{"metric": "jobs a day", "kind": "efficiency", "weight": "0.7"}]
    async with running(service, postgres, peers=aggregator) as box:
        office = Office(box)
        await drafted(office, other_incentives=speed)
        stopped = await office.admin.post(f"{PLAN}/publish")
        assert stopped.status_code == 409
        assert "efficiency_outweighs_customers" in stopped.json()["detail"]
        assert "short_notice" not in stopped.json()["detail"]
        await drafted(office, notice_days=7)
        published = await office.admin.post(f"{PLAN}/publish")
        assert published.status_code == 200
        assert ("short_notice", "warning", None) in [
            (one["code"], one["severity"], one["waived"]) for one in published.json()["findings"]
        ]
