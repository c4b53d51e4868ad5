"""Goals without pay: everything computed, shown and discussed; no money, no line in the payroll."""

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.company import component
from tests.e2e.systems.paid_company import PaidCompany, scores

pytestmark = pytest.mark.timeout(240)


async def test_goals_are_tracked_without_pay_and_beside_paid_ones(installation: Installation) -> None:
    firm = PaidCompany(installation, 1999)
    await firm.found({"m": ("mechanic", "north"), "n": ("mechanic", "north")})
    await firm.answered("m", "north", scores(12, 5, 3))
    await firm.answered("n", "north", scores(10, 7, 3))
    own, unit = component("own", "self", "0.6"), component("unit", "own_unit", "0.4")

    tracked = await firm.close("tracked", firm.plan([own, unit], ["m", "n"], mode="track_only"))
    one = await firm.statement(tracked, "m")
    assert (one["mode"], one["payout_minor"], one["held_minor"]) == ("track_only", 0, 0)
    assert [(part["value"], part["f"], part["payout_minor"]) for part in one["components"]] == [
        (45.0, "1.125", 0),
        (40.0, "1", 0),
    ]
    assert (one["counted"], one["components"][0]["ci95"]) == (20, [8.4, 69.8])
    assert one["counterfactual"]["anchor"] == "excellence"
    payroll = await firm.ask("bonus", "GET", f"/v1/periods/{tracked}/payroll.csv", by="finance")
    assert payroll.splitlines() == [
        "employee,amount_minor,held_minor,currency,period,run,rule_version,payment_key"
    ]
    question = {"period": tracked, "employee": firm.name("m"), "text": "What would make it 50?"}
    await firm.ask("bonus", "POST", "/v1/inquiries", question, by="employee m")

    shown = component("own", "self", "0", paid=False)
    mixed = await firm.close("mixed", firm.plan([{**unit, "weight": "1"}, shown], ["m", "n"], scheme="team"))
    for person, own_score in (("m", 45.0), ("n", 35.0)):
        one = await firm.statement(mixed, person)
        team, tracked_only = one["components"]
        assert (one["payout_minor"], team["paid"], team["payout_minor"]) == (100_000, True, 100_000)
        assert (tracked_only["paid"], tracked_only["value"], tracked_only["payout_minor"]) == (
            False,
            own_score,
            0,
        )
    payroll = await firm.ask("bonus", "GET", f"/v1/periods/{mixed}/payroll.csv", by="finance")
    assert [line.split(",")[:2] for line in payroll.splitlines()[1:]] == [
        [firm.name("m"), "100000"],
        [firm.name("n"), "100000"],
    ]


async def test_what_is_tracked_only_cannot_carry_weight(installation: Installation) -> None:
    firm = PaidCompany(installation, 1999)
    plan = firm.plan([component("own", "self", "0.5", paid=False), component("unit", "own_unit", "1")], ["m"])
    answer = await firm.call("bonus", "PUT", f"/v1/plans/{firm.name('wrong')}", plan)
    assert answer.status_code == 422
    assert {
        "pointer": "/body/components/0/weight",
        "detail": "a component that is not paid has no weight",
    } in (answer.json()["errors"])
