"""Data-quality guards: not my customer, thin data, who was asked, wrong contact data, segments."""

from datetime import timedelta
from typing import Any

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.asked_company import AskedCompany

pytestmark = pytest.mark.timeout(240)

MILA = [9] * 10 + [8] * 2 + [3] * 4


async def test_not_my_customer_moves_the_figure_and_the_pay_by_exactly_that_answer(
    installation: Installation,
) -> None:
    company = AskedCompany(installation, 2011)
    await company.found("mila")
    mila = f"employee/{company.name('mila')}"
    ids = await company.worked("mila", MILA)
    unknown = company.name("a-job-nobody-posted")
    answer = company.answer("lost", 9, interaction_ref=unknown)
    lost = (await company.batch("survey-intake", "responses", [answer]))[0]["response_id"]
    whole = await company.counted("organisation/all", 17)
    assert (await company.counted(mila, 16))["value"] == 37.5
    period = await company.pays("own", ["mila"])
    before = await company.statement(period, "mila")
    assert (before["counted"], before["payout_minor"]) == (16, 75_000)

    claim = {"response_id": ids[-1], "employee": company.name("mila"), "kind": "not_my_customer"}
    filed = await company.ask("attribution", "POST", "/v1/disputes", claim | {"reason": "another van"})
    decision = {"uphold": True, "reason": "the log of the van says so"}
    await company.ask("attribution", "POST", f"/v1/disputes/{filed['id']}/decide", decision)
    assert (await company.counted(mila, 15))["value"] == 46.7
    assert (await company.counted(mila, 15, view="all"))["detractors"] == 3
    assert (await company.counted("organisation/all", 17))["value"] == whole["value"]
    after = await company.statement(period, "mila")
    assert (after["counted"], after["payout_minor"]) == (15, 116_750)
    assert {one["response_id"]: one["reason"] for one in after["excluded"]}[ids[-1]] == "excluded_by_dispute"

    waiting = (await company.ask("attribution", "GET", "/v1/unmatched?limit=500"))["items"]
    assert lost in {one["response_id"] for one in waiting}
    job = company.job("found", "mila", "north", company.day(0))
    job["customer_ref"] = company.name("customer-lost")
    await company.batch("attribution", "interactions", [job])
    found = {"interaction": company.name("found")}
    await company.ask("attribution", "POST", f"/v1/unmatched/{lost}/resolve", found)
    assert (await company.counted(mila, 16))["value"] == 50.0
    assert (await company.statement(period, "mila"))["payout_minor"] == 125_000


async def test_thin_data_moves_money_to_the_team_and_no_data_takes_the_teams(
    installation: Installation,
) -> None:
    company = AskedCompany(installation, 2012)
    await company.found("many", "thin", "none")
    await company.worked("many", [9] * 26 + [8] * 6 + [3] * 8)
    await company.worked("thin", [9] * 6)
    unit = await company.counted(f"org_unit/{company.name('north')}", 46)
    thin = await company.counted(f"employee/{company.name('thin')}", 6)
    reliability = 225 / (225 + 6400 / 6)
    assert thin["reliability"] == pytest.approx(reliability, abs=1e-6)
    assert (thin["value"], unit["value"]) == (100.0, 52.2)
    of_unit = 1 + 0.5 * (52.2 - 40) / 20

    period = await company.pays("reliable", ["many", "thin", "none"], reliability_mode="A", gates=[])
    paid = (await company.statement(period, "thin"))["payout_minor"]
    assert paid == pytest.approx(100_000 * (reliability * 1.5 + (1 - reliability) * of_unit), abs=1)
    assert (await company.statement(period, "none"))["payout_minor"] == 130_500
    plain = await company.pays("plain", ["thin", "none"])
    assert (await company.statement(plain, "thin"))["payout_minor"] == 150_000
    assert (await company.statement(plain, "none"))["payout_minor"] == 130_500


async def test_invitations_tell_coverage_answer_rate_and_wrong_contact_data(
    installation: Installation,
) -> None:
    company = AskedCompany(installation, 2013)
    await company.found("fair", "picky")
    await company.worked("fair", [9] * 8)
    await company.worked("picky", [9] * 6)
    angry = [company.job(f"angry-{n}", "picky", "north", company.day(n)) for n in range(6)]
    await company.batch("attribution", "interactions", angry)

    def invitation(job: str, *, sent: bool = True, **more: Any) -> dict[str, Any]:
        at = company.day(1) + timedelta(hours=1)
        return {
            "id": company.name(f"inv-{job}"),
            "interaction": company.name(job),
            "customer_ref": company.name(f"customer-{job}"),
            "channel": "email",
            "eligible_at": at.isoformat(),
            **({"sent_at": (at + timedelta(hours=1)).isoformat()} if sent else {}),
            **more,
        }

    edited = [{"kind": "edited", "at": company.day(1).isoformat()}]
    bounced = [{"kind": "bounced", "at": company.day(2).isoformat()}]
    batch = [
        *(invitation(f"fair-{n}") for n in range(8)),
        *(invitation(f"picky-{n}") for n in range(6)),
        *(invitation(f"angry-{n}", sent=False) for n in range(4)),
        invitation("angry-4", events=[*edited, *bounced]),
        invitation("angry-5", events=bounced),
    ]
    for outcome in ("accepted", "duplicate"):
        told = await company.ask("survey-intake", "POST", "/v1/invitations", {"invitations": batch})
        assert {one["outcome"] for one in told["outcomes"]} == {outcome}

    picky = f"employee/{company.name('picky')}"
    path = f"/v1/coverage/{picky}?{company.quarter}"
    told = await company.shows("kpi-aggregator", path, eligible=12, interactions=12, answered=6)
    assert (told["sent"], told["coverage"], told["answer_rate"]) == (8, 0.6667, 0.75)
    assert (told["bounced"], told["edited"]) == (2, 1)
    assert told["ci95"][0] < 0.6667 < told["ci95"][1] < 1
    north = f"/v1/coverage/org_unit/{company.name('north')}?{company.quarter}"
    told = await company.shows("kpi-aggregator", north, eligible=20, sent=16)
    assert told["coverage"] == 0.8
    period = {"kpi": "nps", "period": {"from": f"{company.year}-01-01", "to": f"{company.year}-04-01"}}
    frozen = await company.ask("kpi-aggregator", "POST", "/v1/snapshots", period)
    coverage = (await company.ask("kpi-aggregator", "GET", f"/v1/snapshots/{frozen['id']}"))["coverage"]
    assert coverage[company.name("picky")] == {"eligible": 12, "sent": 8}
    assert coverage[company.name("fair")] == {"eligible": 8, "sent": 8}

    customer = company.name("customer-angry-0")
    receipt = await company.ask("survey-intake", "DELETE", f"/v1/customers/{customer}")
    assert receipt["invitations"] == 1
    await company.shows("kpi-aggregator", path, eligible=11, sent=8)


async def test_figures_by_segment_cause_role_and_touchpoint(installation: Installation) -> None:
    company = AskedCompany(installation, 2014)
    await company.found("mila")
    await company.worked("mila", [9] * 6, name="web", segments={"channel": company.name("web")})
    await company.worked("mila", [3] * 5, name="shop", segments={"channel": company.name("shop")})
    mila = f"employee/{company.name('mila')}"
    await company.counted(mila, 11)
    web = await company.figure(f"segment/channel:{company.name('web')}", view="all")
    shop = await company.figure(f"segment/channel:{company.name('shop')}", view="all")
    assert [(one["n"], one["value"]) for one in (web, shop)] == [(6, 100.0), (5, -100.0)]
    assert (await company.figure(f"role/{company.name('mechanic')}"))["n"] == 11
    assert (await company.figure(f"touchpoint/{company.name('repair')}", view="all"))["n"] == 11
    assert (await company.figure("cause/quality"))["n"] == 11

    series = await company.ask(
        "kpi-aggregator", "GET", f"/v1/kpis/nps/{mila}/series?step=month&{company.quarter}"
    )
    assert sum(one["n"] or 0 for one in series["items"]) == 11
    drivers = await company.ask("kpi-aggregator", "GET", f"/v1/kpis/nps/{mila}/causes?{company.quarter}")
    assert [(one["cause"], one["impact"]) for one in drivers["items"]] == [("quality", 9.09)]
