"""Four readers who must be able to live with it: CX lead, works council, employee, integrator."""

import pytest
from tests.e2e.installation import Installation
from tests.e2e.systems.company import component
from tests.e2e.systems.small_company import SmallCompany, from_today

pytestmark = pytest.mark.timeout(400)

PROMOTERS = [(10, "work")] * 5 + [(10, None)] * 15
DETRACTORS = [(3, "work")] * 10


async def test_four_readers_find_what_they_need_and_nothing_else(installation: Installation) -> None:
    firm = SmallCompany(installation)
    await firm.found(["m1"])
    responses = await firm.answered("m1", [*PROMOTERS, *DETRACTORS])
    plan, period, me = firm.name("plan"), firm.name("period"), firm.name("m1")
    track = {"name": "Track", "mode": "track_only", "scheme": "individual"}
    payees = [{"employee": me, "target_bonus_minor": 0}]
    await firm.publish("plan", firm.plan([component("own", "self", "1")], [], **track, payees=payees))
    days = {"from": from_today(-10), "to": from_today(10), "plan": plan}
    await firm.ask("bonus", "PUT", f"/v1/periods/{period}", days)
    await firm.ask("bonus", "POST", f"/v1/periods/{period}/calculate")

    await the_cx_lead(firm)
    await the_employee(firm, responses)
    await the_works_council(firm, responses)
    await the_integrator(firm)


async def the_cx_lead(firm: SmallCompany) -> None:
    """Sees that promoters seldom say why, and what that does to the influenced view."""
    path = f"/v1/kpis/nps/cause-answers?window=30d&org_unit={firm.name('branch')}"
    told = await firm.ask("kpi-aggregator", "GET", path, by="analyst")
    assert (told["promoters"]["rate"], told["detractors"]["rate"], told["z"]) == (0.25, 1.0, -3.873)
    assert "leans down" in told["finding"]


async def the_employee(firm: SmallCompany, responses: list[str]) -> None:
    """Finds in one call what counts, what does not, why, and how to object; and objects that way."""
    me = firm.name("m1")
    told = await firm.ask("bonus", "GET", f"/v1/goals/{me}", by="employee m1 branch")
    (goal,) = told["items"]
    assert goal["answers"]["counted"] == 15
    (uncounted,) = goal["answers"]["not_counted"]
    assert (uncounted["reason"], uncounted["n"]) == ("no_cause_given", 15)
    call = next(one for one in told["objections"] if one["to"] == "say that this was not your customer")
    body = {**call["body"], "response_id": responses[-1], "reason": "I was on leave that day."}
    filed = await firm.ask(call["service"], call["method"], call["path"], body, by="employee m1 branch")
    assert (filed["employee"], filed["status"]) == (me, "open")


async def the_works_council(firm: SmallCompany, responses: list[str]) -> None:
    """Reads rules, aggregates and disputes; no comments, nobody's own figures, statements or goals."""
    me, period, branch = firm.name("m1"), firm.name("period"), firm.name("branch")
    readable = [
        ("bonus", f"/v1/plans/{firm.name('plan')}"),
        ("bonus", f"/v1/periods/{period}/runs"),
        ("bonus", "/v1/organisation-goals"),
        ("bonus", "/v1/goal-reviews"),
        ("attribution", f"/v1/influence-matrices/{firm.name('matrix')}"),
        ("attribution", f"/v1/disputes?employee={me}"),
        ("closed-loop", "/v1/alert-rules"),
        ("closed-loop", "/v1/behaviours"),
        ("closed-loop", f"/v1/adoption/org_unit/{branch}"),
        ("kpi-aggregator", "/v1/kpi-settings/nps"),
        ("kpi-aggregator", f"/v1/kpis/nps/org_unit/{branch}"),
        ("kpi-aggregator", "/v1/kpis/nps/cause-answers"),
    ]
    for service, path in readable:
        await firm.ask(service, "GET", path, by="works_council")
    disputes = await firm.ask("attribution", "GET", f"/v1/disputes?employee={me}", by="works_council")
    assert [one["reason"] for one in disputes["items"]] == ["I was on leave that day."]
    closed = [
        ("bonus", f"/v1/periods/{period}/statements/{me}"),
        ("bonus", f"/v1/goals/{me}"),
        ("bonus", "/v1/goals/export.csv"),
        ("kpi-aggregator", f"/v1/kpis/nps/employee/{me}"),
        ("kpi-aggregator", f"/v1/kpis/nps/employee/{me}/answers"),
        ("closed-loop", "/v1/observations"),
        ("closed-loop", "/v1/trainings"),
        ("closed-loop", f"/v1/adoption/employee/{me}"),
    ]
    for service, path in closed:
        await firm.refused(403, service, "GET", path, by="works_council")
    for response in responses[-3:]:
        read = await firm.ask("survey-intake", "GET", f"/v1/responses/{response}", by="works_council")
        assert "comment" not in read
        assert "customer" not in read


async def the_integrator(firm: SmallCompany) -> None:
    """Lists what was sent, and deletes what was sent by mistake."""
    shop, sent = firm.name("shop"), firm.name("m1-0")
    path = f"/v1/responses?connection={shop}&survey_id=nps&external_id={sent}"
    (found,) = (await firm.ask("survey-intake", "GET", path, by="service"))["items"]
    everything = await firm.ask("survey-intake", "GET", f"/v1/responses?connection={shop}", by="service")
    assert len(everything["items"]) == len(PROMOTERS) + len(DETRACTORS)
    await firm.ask("survey-intake", "DELETE", f"/v1/responses/{found['response_id']}", by="ops")
    figure = f"/v1/kpis/nps/employee/{firm.name('m1')}?window=30d"
    await firm.shows("kpi-aggregator", figure, promoters=len(PROMOTERS) - 1)
