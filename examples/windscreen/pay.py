"""The chapters about the bonus: a plan, a period, a statement, and what corrections change."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from answers import MILA_CAN_INFLUENCE
from expected import cents, curve, nps
from telling import Telling

Chapter = Callable[[Telling], None]

TARGET_BONUS = 100_000
LINTED = ["coverage_not_gated", "short_notice", "too_few_responses"]
"""What the linter has to say about the plan: nothing that stops it."""


def plan(telling: Telling) -> dict[str, Any]:
    """Her own figure, her branch's and the company's, each with a curve; thin data moves money to the team."""
    own = {"threshold": "30", "target": "40", "excellence": "60", "cap": "1.5"}
    everybodys = {"threshold": "-20", "target": "10", "excellence": "30", "cap": "1.5"}

    everybody = f"org_unit:{telling.company.top}" if telling.company.guest else "organisation"

    def component(
        id: str, scope: str, view: str, weight: str, shape: dict[str, str], **more: str
    ) -> dict[str, Any]:
        return {
            "id": id,
            "kpi": "nps",
            "scope": scope,
            "view": view,
            "weight": weight,
            "curve": shape,
            **more,
        }

    return {
        "name": "Mechanics",
        "mode": "paid",
        "currency": "EUR",
        "scheme": "overachievement",
        "components": [
            component("own", "self", "influenced", "0.6", own, fallback="own_unit"),
            component("branch", "own_unit", "influenced", "0.3", own),
            component("company", everybody, "all", "0.1", everybodys),
        ],
        "gates": [{"kind": "min_responses", "minimum": 5}, {"kind": "accepted"}, {"kind": "employed"}],
        "reliability_mode": "A",
        "payees": [
            {"employee": telling.company.id(name), "target_bonus_minor": TARGET_BONUS}
            for name in ("mila", "sam")
        ],
        "notice_days": 0,
    }


def expected_payout(own: float, company: float) -> int:
    """Mila's payout when her figure and her branch's are `own`: the fallback is her branch, so λ moves nothing."""
    f_own = curve(Decimal(str(own)), 30, 40, 60, Decimal("1.5"))
    f_company = curve(Decimal(str(company)), -20, 10, 30, Decimal("1.5"))
    return cents(TARGET_BONUS * (Decimal("0.9") * f_own + Decimal("0.1") * f_company))


def the_bonus(telling: Telling) -> None:
    """A plan that was published and accepted, a period that is calculated twice and approved by somebody else."""
    telling.title("A bonus that explains itself")
    plan_id, period = telling.company.id("mechanics"), telling.company.id("period")
    drafted = telling.api.put("bonus", f"/v1/plans/{plan_id}", plan(telling))
    published = telling.api.post("bonus", f"/v1/plans/{plan_id}/publish", waivers(telling))
    found = sorted({one["code"] for one in published["findings"]})
    telling.checks.equal("what the linter says of the plan", found, LINTED)
    for name in ("mila", "sam"):
        acceptance = {"employee": telling.company.id(name), "text_hash": drafted["text_hash"]}
        telling.employee(name).post("bonus", f"/v1/plans/{plan_id}/acceptances", acceptance)
    telling.api.put("bonus", f"/v1/periods/{period}", {**telling.period, "plan": plan_id})
    runs = [telling.api.post("bonus", f"/v1/periods/{period}/calculate") for _ in range(2)]
    # the hash is over everybody's answers, and a guest's hosts may have had one in between
    same = "total_minor" if telling.company.guest else "inputs_hash"
    telling.checks.equal("calculated twice over the same data", runs[0][same], runs[1][same])
    approve(telling, runs[1]["id"])
    statement = telling.api.get("bonus", f"/v1/periods/{period}/statements/{telling.company.id('mila')}")
    telling.kept["statement"] = statement
    influenced = nps(telling.about(causes=MILA_CAN_INFLUENCE)).value
    payout = expected_payout(influenced, telling.organisation().value)
    telling.kept["payout"] = payout
    telling.checks.equal("Mila's payout", statement["payout_minor"], payout)
    explain(telling, statement)


def waivers(telling: Telling) -> Any:
    """A guest cannot know whether warnings stop a plan there (FAIRLOOP_STRICT_PUBLISHING): it lets them pass."""
    if not telling.company.guest:
        return None
    return {"waivers": [{"code": code, "reason": "a demonstration: nobody is paid by it"} for code in LINTED]}


def approve(telling: Telling, run: str) -> None:
    """By somebody else; where the story knows nobody else it sees that who calculated is refused."""
    if telling.approver is not None:
        approved = telling.approver.post("bonus", f"/v1/runs/{run}/approve")
        telling.checks.equal("approved by somebody else", approved["status"], "approved")
        return
    refused = telling.api.answer("POST", "bonus", f"/v1/runs/{run}/approve")
    telling.checks.equal("who calculated cannot approve", refused.status_code, 403)
    telling.say("not approved: that takes somebody else than who calculated")


def money(minor: int) -> str:
    return f"{minor / 100:,.2f} EUR"


def explain(telling: Telling, statement: dict[str, Any]) -> None:
    """The statement, line by line; its parts must sum to the cent."""
    parts = sum(component["payout_minor"] for component in statement["components"])
    telling.checks.equal("the components sum to the cent", parts, statement["payout_minor"])
    steps = sum(step["amount_minor"] for step in statement["waterfall"])
    telling.checks.equal("the waterfall sums to the cent", steps, statement["payout_minor"])
    telling.checks.equal("answers counted", statement["counted"], 20)
    telling.checks.equal("answers not counted, each with a reason", len(statement["excluded"]), 6)
    telling.checks.true("every reason is given", all(one["reason"] for one in statement["excluded"]))
    telling.checks.true("every gate has a message", all(gate["message"] for gate in statement["gates"]))
    telling.say(
        f"Mila's target bonus is {money(statement['target_bonus_minor'])}; she earned {money(statement['payout_minor'])}:"
    )
    for part in statement["components"]:
        telling.say(
            f"  {part['id']:<8} NPS {part['value']} {part['ci95']} of {part['n']} answers → factor {part['f']},"
            f" weight {part['weight']} → {money(part['payout_minor'])}"
        )
    for gate in statement["gates"]:
        telling.say(f"  {'✓' if gate['passed'] else '✗'} {gate['message']}")
    telling.say(
        f"  {statement['counted']} answers counted, {len(statement['excluded'])} not: {statement['excluded'][0]['reason']}"
    )
    for step in statement["waterfall"]:
        telling.say(f"  because of {step['factor']}: {money(step['amount_minor'])}")


def the_approved_period(telling: Telling) -> None:
    """What was approved stays; the two corrections are adjustments to come, the forgotten customer is none."""
    if telling.approver is None:
        the_period_in_review(telling)
        return
    telling.title("The approved period")
    period, mila = telling.company.id("period"), telling.company.id("mila")
    statement = telling.api.get("bonus", f"/v1/periods/{period}/statements/{mila}")
    telling.checks.equal("the approved statement has not changed", statement, telling.kept["statement"])
    corrected = expected_payout(*telling.kept["corrected"])
    adjustments = telling.api.get("bonus", f"/v1/periods/{period}/adjustments")
    hers = next(item for item in adjustments["items"] if item["employee"] == mila)
    telling.checks.equal(
        "her adjustment to come", hers["difference_minor"], corrected - telling.kept["payout"]
    )
    rerated, disputed = (telling.responses[number] for number in telling.kept["corrected_numbers"])
    telling.checks.equal(
        "… because of", {reason["response_id"] for reason in hers["reasons"]}, {rerated, disputed}
    )
    payroll = telling.api.get("bonus", f"/v1/periods/{period}/payroll.csv")
    telling.checks.equal("lines in the payroll file", len(payroll.strip().splitlines()), 3)
    telling.say(
        f"paid as approved: {money(telling.kept['payout'])}; to come next period: {money(hers['difference_minor'])}"
    )
    if not telling.company.guest:  # of a large installation this takes long
        report = telling.api.post("kpi-aggregator", "/v1/recompute")
        telling.checks.equal("every figure again from the kept facts", report["equal"], True)
        telling.say("all running figures equal their recomputation")


def the_period_in_review(telling: Telling) -> None:
    """What nobody has approved yet is calculated again, and takes every correction in."""
    telling.title("The period in review")
    period, mila = telling.company.id("period"), telling.company.id("mila")
    telling.api.post("bonus", f"/v1/periods/{period}/calculate")
    statement = telling.api.get("bonus", f"/v1/periods/{period}/statements/{mila}")
    own = nps(telling.kept["influenced"]).value
    payout = expected_payout(own, telling.organisation().value)
    telling.checks.equal("Mila's payout, calculated again", statement["payout_minor"], payout)
    telling.say(f"after the three corrections: {money(payout)} instead of {money(telling.kept['payout'])}")
