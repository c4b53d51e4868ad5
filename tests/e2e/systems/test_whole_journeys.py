"""Whole journeys, no silos: touchpoints in order, the common goal and the other departments, for everybody."""

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.asked_company import AskedCompany

pytestmark = pytest.mark.timeout(240)


async def test_everybody_sees_the_whole_journey_the_common_result_and_who_else_had_a_part(
    installation: Installation,
) -> None:
    company = AskedCompany(installation, 2015)
    await company.found("mila", "noor")
    await company.worked("noor", [9] * 6, touchpoint="booking", name="booking")
    await company.worked("mila", [9] * 5, touchpoint="repair", name="repair")
    await company.worked("mila", [3] * 6, touchpoint="repair", name="wrong", cause="window")
    whole = await company.counted("organisation/all", 17)
    touchpoints = [company.name("booking"), company.name("repair")]
    journey = {"name": "A new windscreen", "touchpoints": touchpoints}
    await company.ask("kpi-aggregator", "PUT", f"/v1/journeys/{company.name('windscreen')}", journey)

    mila = "employee mila"
    path = f"/v1/journeys/{company.name('windscreen')}?{company.quarter}"
    told = await company.ask("kpi-aggregator", "GET", path, by=mila)
    assert [(one["scope_id"], one["n"], one["value"]) for one in told["touchpoints"]] == [
        (touchpoints[0], 6, 100.0),
        (touchpoints[1], 11, -9.1),
    ]
    assert (told["whole"]["n"], told["whole"]["value"]) == (17, 29.4)
    path = f"/v1/kpis/nps/organisation/all?{company.quarter}"
    common = await company.ask("kpi-aggregator", "GET", path, by=mila)
    assert (common["n"], common["value"]) == (17, whole["value"]) == (17, 29.4)

    person = f"/v1/kpis/nps/employee/{company.name('mila')}"
    told = await company.ask("kpi-aggregator", "GET", f"{person}/contributors?{company.quarter}", by=mila)
    assert [(one["kind"], one["id"], one["n"], one["weight"]) for one in told["items"]] == [
        ("org_unit", company.name("supply"), 6, "6.000000"),
        ("self", company.name("mila"), 5, "5.000000"),
    ]
    told = await company.ask("kpi-aggregator", "GET", f"{person}/causes?{company.quarter}", by=mila)
    assert [(one["cause"], one["value"], one["impact"]) for one in told["items"]] == [
        ("window", -100.0, -54.55),
        ("quality", 100.0, 45.45),
    ]
