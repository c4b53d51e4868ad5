"""What the metrics incent: what turns a plan around stops it, and whatever is found is read by everybody it is about."""

import asyncio
import time

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.company import CURVE, component
from tests.e2e.systems.paid_company import PaidCompany

pytestmark = pytest.mark.timeout(240)


async def test_a_plan_is_published_when_every_finding_is_mended_or_waived(installation: Installation) -> None:
    firm = PaidCompany(installation, 2001)
    await firm.found({"m": ("mechanic", "north"), "p": ("planner", "office")})
    plan = firm.plan(
        [
            component("own", "self", "0.96", curve={**CURVE, "at_threshold": "0.5"}),
            component("token", "organisation", "0.04", curve={**CURVE, "threshold": "-20", "target": "-5"}),
        ],
        ["m", "p"],
        other_incentives=[{"metric": "jobs a day", "kind": "efficiency", "weight": "0.7"}],
        role_weights={
            firm.name("mechanic"): {"own": "0.2", "token": "0.8"},
            firm.name("planner"): {"own": "1"},
        },
        notice_days=7,
    )
    path = f"/v1/plans/{firm.name('metrics')}"
    await firm.ask("bonus", "PUT", path, plan)
    deadline = time.monotonic() + 30  # the roles travel as events
    while True:
        found = (await firm.ask("bonus", "GET", f"{path}/findings", by="finance"))["items"]
        if "back_office_weighs_more" in {one["code"] for one in found} or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.2)
    said = {(one["code"], one["pointer"]): one["message"] for one in found}
    blocking = {one["code"] for one in found if one["severity"] == "blocking"}
    assert blocking == {"efficiency_outweighs_customers", "back_office_weighs_more"}
    planner = f"/role_weights/{firm.name('planner')}"
    assert set(said) - {("too_few_responses", "/components/1")} == {  # of the organisation: others answer too
        ("efficiency_outweighs_customers", "/other_incentives"),
        ("cliff", "/components/0/curve/at_threshold"),
        ("target_not_positive", "/components/1/curve/target"),
        ("token_weight", "/components/1/weight"),
        ("back_office_weighs_more", planner),
        ("short_notice", "/notice_days"),
        ("too_few_responses", "/components/0"),
    }
    assert said["efficiency_outweighs_customers", "/other_incentives"] == (
        "70 % of what these people can earn is for efficiency (jobs a day) and 30 % for customers: where a job can "
        "be quick or good, it will be quick"
    )

    stopped = await firm.call("bonus", "POST", f"{path}/publish")
    assert stopped.status_code == 409
    assert all(code in stopped.json()["detail"] for code in blocking)
    assert (await firm.ask("bonus", "GET", path))["status"] == "draft"

    mended = {
        **plan,
        "components": [component("own", "self", "0.5"), component("unit", "own_unit", "0.5")],
        "other_incentives": [{"metric": "jobs a day", "kind": "efficiency", "weight": "0.2"}],
        "role_weights": {firm.name("planner"): {"unit": "1"}},
        "notice_days": 30,
    }
    await firm.ask("bonus", "PUT", path, mended)
    reason = "a pilot of one quarter that the works council knows of"
    waived = {"waivers": [{"code": "too_few_responses", "reason": reason}]}
    published = await firm.ask("bonus", "POST", f"{path}/publish", waived)
    assert published["status"] == "published"
    for role in ("works_council", "employee"):
        shown = await firm.ask("bonus", "GET", path, by=role)
        assert [(one["code"], one["waived"]["reason"]) for one in shown["findings"]] == [
            ("too_few_responses", reason)
        ] * 2
        assert all(one["waived"]["by"] for one in shown["findings"])


async def test_a_waiver_without_a_reason_waives_nothing(installation: Installation) -> None:
    firm = PaidCompany(installation, 2001)
    await firm.ask(
        "bonus", "PUT", f"/v1/plans/{firm.name('none')}", firm.plan([component("own", "self", "1")], ["m"])
    )
    answer = await firm.call(
        "bonus",
        "POST",
        f"/v1/plans/{firm.name('none')}/publish",
        {"waivers": [{"code": "too_few_responses", "reason": ""}]},
    )
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/body/waivers/0/reason"]
    assert (await firm.ask("bonus", "GET", f"/v1/plans/{firm.name('none')}"))["status"] == "draft"
