"""The chapters of the story, in their order."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from answers import Answer, job
from expected import cents, curve, nps
from telling import Telling

Chapter = Callable[[Telling], None]

MILA_CAN_INFLUENCE = (
    "Quality of the replacement",
    "Cleanliness of the car on delivery",
    "Speed of the work",
)
TARGET_BONUS = 100_000


def the_company(telling: Telling) -> None:
    """Who works where, which causes there are, who can influence which."""
    telling.title("A glass repair company")
    for service, path, body in (*telling.company.directory(), *telling.company.causes()):
        telling.api.put(service, path, body)
    rule = {
        "when": [
            {"field": "nps", "op": "==", "value": 0},
            {"field": "segment.branch", "op": "==", "value": telling.company.id("north")},
        ],
        "track": "detractor",
        "sla_policy": telling.company.id("at-once"),
    }
    around_the_clock = {
        day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    }
    policy = {
        "calendar": telling.company.id("always"),
        "target_minutes": {"acknowledge": 0.02, "contact": 480, "resolve": 2400},
        "escalate_to": telling.company.id("boss"),
    }
    calendar = {"timezone": "Europe/Amsterdam", "weekly": around_the_clock, "holidays": []}
    telling.api.put("closed-loop", f"/v1/calendars/{telling.company.id('always')}", calendar)
    telling.api.put("closed-loop", f"/v1/sla-policies/{telling.company.id('at-once')}", policy)
    telling.api.put("closed-loop", f"/v1/alert-rules/{telling.company.id('at-once')}", rule)
    telling.api.put(*telling.company.survey(telling.secret))
    telling.say(
        "two branches, supply and planning; two mechanics, a scheduler, a buyer, a branch manager, a director"
    )
    telling.say(
        "mechanics influence quality, cleanliness and speed; planning lead time; supply owns the right window"
    )


def the_answers(telling: Telling) -> None:
    """Jobs are done, customers answer, the platform posts signed webhooks."""
    telling.title("Customers answer")
    before = telling.api.post("kpi-aggregator", "/v1/snapshots", {"period": telling.period, "kpi": "nps"})
    held = telling.api.get("kpi-aggregator", f"/v1/snapshots/{before['id']}")["contributions"]
    telling.kept["others"] = [one["score"] for one in held]  # of whoever used this installation before
    jobs = [job(telling.company, answer) for answer in telling.answers]
    telling.api.post("attribution", "/v1/interactions", {"interactions": jobs})
    with telling.console.status("posting signed webhooks …") as progress:
        for count, answer in enumerate(telling.answers, 1):
            progress.update(f"posting signed webhooks … {count} of {len(telling.answers)}")
            telling.checks.equal("webhook", telling.send(answer)["outcome"], "accepted")
    first = telling.answers[0]
    telling.checks.equal("the same delivery once more", telling.send(first)["outcome"], "duplicate")
    telling.say(f"{len(telling.answers)} answers taken in, one delivered twice and counted once")


def the_fair_figure(telling: Telling) -> None:
    """What Mila is measured by, and that the wrong windows have not vanished."""
    telling.title("A fair figure")
    company = telling.company
    mila, north = company.id("mila"), company.id("north")
    wrong_window = telling.about(causes=("Right window present",))
    telling.expect("Mila, all answers", "employee", mila, "all", nps(telling.about()))
    influenced = nps(telling.about(causes=MILA_CAN_INFLUENCE))
    telling.expect("Mila, what she can influence", "employee", mila, "influenced", influenced)
    telling.expect("Branch North, influenced", "org_unit", north, "influenced", influenced)
    telling.expect(
        "Supply, the wrong windows", "org_unit", company.id("supply"), "influenced", nps(wrong_window)
    )
    telling.expect("The organisation", "organisation", "all", "all", organisation(telling))
    attribution = telling.api.get(
        "attribution", f"/v1/attributions/{telling.responses[wrong_window_answer(telling).number]}"
    )
    shares = {entry["subject_id"]: entry["share"] for entry in attribution["entries"]}
    telling.checks.equal(
        "a wrong window is supply's", shares, {mila: "0.000000", company.id("supply"): "1.000000"}
    )
    telling.checks.equal("and is counted as the system's", attribution["system_share"], "1.000000")
    telling.say("the six wrong windows cost Mila nothing; they are supply's and the organisation's")


def organisation(telling: Telling) -> Any:
    """The organisation's figure: everybody's answers, and those that were there before."""
    return nps([answer.score for answer in telling.answers] + telling.kept["others"])


def wrong_window_answer(telling: Telling) -> Answer:
    return next(answer for answer in telling.answers if answer.cause == "Right window present")


def cases_of(telling: Telling) -> list[dict[str, Any]]:
    ours = set(telling.responses.values())
    cases = telling.api.every("closed-loop", "/v1/cases", org_unit=telling.company.id("glass"))
    return [case for case in cases if case["response_id"] in ours]


def the_follow_up(telling: Telling) -> None:
    """Every detractor has an owner and a deadline; one case is worked off, one is left too long."""
    telling.title("Nobody unhappy is forgotten")
    detractors = [answer for answer in telling.answers if answer.score <= 6]
    telling.checks.eventually(
        "a case for every detractor",
        lambda: sorted(case["response_id"] for case in cases_of(telling) if case["alert_rule"] == "default"),
        sorted(telling.responses[answer.number] for answer in detractors),
    )
    cases = [case for case in cases_of(telling) if case["alert_rule"] == "default"]
    telling.checks.true(
        "every case has an owner and says why", all(case["owner"] and case["owner_reason"] for case in cases)
    )
    by_owner: dict[str, int] = {}
    for case in cases:
        by_owner[case["owner"]] = by_owner.get(case["owner"], 0) + 1
        telling.checks.true("every clock has a due time", all(clock["due_at"] for clock in case["clocks"]))
    for owner, count in sorted(by_owner.items()):
        example = next(case for case in cases if case["owner"] == owner)
        due = datetime.fromisoformat(example["clocks"][0]["due_at"]).astimezone(UTC)
        telling.say(
            f"{owner}: {count} cases ({example['owner_reason']}), acknowledge by {due:%a %d %b %H:%M} UTC"
        )
    work_off(telling, cases[0]["id"])
    telling.checks.eventually("left too long: breached and escalated once", lambda: breached(telling), [True])
    telling.say(
        "one case acknowledged, customer called, documented, resolved; one breached its SLA and was escalated"
    )


def work_off(telling: Telling, case_id: str) -> None:
    """Acknowledge, call, document, resolve."""

    def command(verb: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = telling.api.post("closed-loop", f"/v1/cases/{case_id}/{verb}", body)
        return answer

    telling.checks.equal("acknowledged", command("acknowledge")["status"], "acknowledged")
    command("contact", {"method": "phone", "note": "Called; the customer was surprised and pleased."})
    documentation = {
        "root_cause": "Sealant was cured too short.",
        "promised": "A free check.",
        "outcome": "Done.",
    }
    telling.checks.equal("resolved", command("resolve", documentation)["status"], "resolved")


def breached(telling: Telling) -> list[bool]:
    rule = telling.company.id("at-once")
    return [
        any(clock["kind"] == "acknowledge" and clock["state"] == "breached" for clock in case["clocks"])
        for case in cases_of(telling)
        if case["alert_rule"] == rule
    ]


def plan(telling: Telling) -> dict[str, Any]:
    """Her own figure, her branch's and the company's, each with a curve; thin data moves money to the team."""
    own = {"threshold": "30", "target": "40", "excellence": "60", "cap": "1.5"}
    everybodys = {"threshold": "-20", "target": "10", "excellence": "30", "cap": "1.5"}

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
            component("company", "organisation", "all", "0.1", everybodys),
        ],
        "gates": [{"kind": "min_responses", "minimum": 5}, {"kind": "accepted"}, {"kind": "employed"}],
        "reliability_mode": "A",
        "payees": [
            {"employee": telling.company.id(name), "target_bonus_minor": TARGET_BONUS}
            for name in ("mila", "sam")
        ],
        "notice_days": 0,
    }


def expected_payout(telling: Telling, own: float, company: float) -> int:
    """Mila's payout when her figure and her branch's are `own`: the fallback is her branch, so λ moves nothing."""
    f_own = curve(Decimal(str(own)), 30, 40, 60, Decimal("1.5"))
    f_company = curve(Decimal(str(company)), -20, 10, 30, Decimal("1.5"))
    return cents(TARGET_BONUS * (Decimal("0.9") * f_own + Decimal("0.1") * f_company))


def the_bonus(telling: Telling) -> None:
    """A plan that was published and accepted, a period that is calculated twice and approved by somebody else."""
    telling.title("A bonus that explains itself")
    plan_id, period = telling.company.id("mechanics"), telling.company.id("period")
    drafted = telling.api.put("bonus", f"/v1/plans/{plan_id}", plan(telling))
    published = telling.api.post("bonus", f"/v1/plans/{plan_id}/publish")
    telling.checks.equal(
        "what the linter says of the plan",
        sorted({one["code"] for one in published["findings"]}),
        ["coverage_not_gated", "short_notice", "too_few_responses"],
    )
    for name in ("mila", "sam"):
        acceptance = {"employee": telling.company.id(name), "text_hash": drafted["text_hash"]}
        somebody = telling.api.somebody("--role", "employee", "--employee", telling.company.id(name))
        somebody.post("bonus", f"/v1/plans/{plan_id}/acceptances", acceptance)
    telling.api.put("bonus", f"/v1/periods/{period}", {**telling.period, "plan": plan_id})
    runs = [telling.api.post("bonus", f"/v1/periods/{period}/calculate") for _ in range(2)]
    telling.checks.equal(
        "calculated twice over the same data", runs[0]["inputs_hash"], runs[1]["inputs_hash"]
    )
    finance = telling.api.somebody("--role", "finance", "--sub", "fin")
    approved = finance.post("bonus", f"/v1/runs/{runs[1]['id']}/approve")
    telling.checks.equal("approved by somebody else", approved["status"], "approved")
    statement = telling.api.get("bonus", f"/v1/periods/{period}/statements/{telling.company.id('mila')}")
    telling.kept["statement"] = statement
    influenced = nps(telling.about(causes=MILA_CAN_INFLUENCE)).value
    payout = expected_payout(telling, influenced, organisation(telling).value)
    telling.kept["payout"] = payout
    telling.checks.equal("Mila's payout", statement["payout_minor"], payout)
    explain(telling, statement)


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


def three_corrections(telling: Telling) -> None:
    """Rated again, not her customer, forgotten: each moves every number by exactly what it should."""
    telling.title("Three corrections")
    mila = telling.company.id("mila")
    rerated, not_hers, forgotten = correction_targets(telling)
    telling.kept["corrected_numbers"] = (rerated.number, not_hers.number)

    again = rerated.rated_again(9, datetime.now(UTC))
    telling.answers[telling.answers.index(rerated)] = again
    telling.checks.equal("rated again on the platform", telling.send(again)["outcome"], "accepted")
    influenced = telling.about(causes=MILA_CAN_INFLUENCE)
    everything = telling.about()
    telling.expect("3 → 9 on the platform: influenced", "employee", mila, "influenced", nps(influenced))
    telling.expect("… all answers", "employee", mila, "all", nps(everything))
    telling.expect("… the organisation", "organisation", "all", "all", organisation(telling))

    dispute = {
        "response_id": telling.responses[not_hers.number],
        "employee": mila,
        "kind": "not_my_customer",
        "reason": "Sam did this job, I was on leave.",
    }
    claimed = telling.api.somebody("--role", "employee", "--employee", mila).post(
        "attribution", "/v1/disputes", dispute
    )
    telling.api.post(
        "attribution",
        f"/v1/disputes/{claimed['id']}/decide",
        {"uphold": True, "reason": "The roster agrees."},
    )
    for scores in (influenced, everything):
        scores.remove(not_hers.score)
    telling.expect("not her customer: influenced", "employee", mila, "influenced", nps(influenced))
    telling.expect("… all answers", "employee", mila, "all", nps(everything))
    telling.expect("… the organisation, unchanged", "organisation", "all", "all", organisation(telling))
    telling.kept["corrected"] = (nps(influenced).value, organisation(telling).value)

    customer = telling.company.id(f"customer-{forgotten.number}")
    telling.api.call("DELETE", "survey-intake", f"/v1/customers/{customer}")
    telling.answers.remove(forgotten)
    for scores in (influenced, everything):
        scores.remove(forgotten.score)
    telling.expect("a customer is forgotten: influenced", "employee", mila, "influenced", nps(influenced))
    telling.expect("… all answers", "employee", mila, "all", nps(everything))
    telling.expect("… the organisation", "organisation", "all", "all", organisation(telling))
    telling.checks.equal(
        "a forgotten customer stays forgotten", telling.send(forgotten)["outcome"], "ignored"
    )


def correction_targets(telling: Telling) -> tuple[Answer, Answer, Answer]:
    """A 3 about quality, a detractor about cleanliness, a promoter about speed."""

    def first(cause: str, scores: tuple[int, ...]) -> Answer:
        return next(
            a for a in telling.answers if a.mechanic == "mila" and a.cause == cause and a.score in scores
        )

    quality, cleanliness, speed = MILA_CAN_INFLUENCE
    return first(quality, (3,)), first(cleanliness, (5,)), first(speed, (9, 10))


def the_closed_period(telling: Telling) -> None:
    """What was approved stays; the two corrections are adjustments to come, the forgotten customer is none."""
    telling.title("The approved period")
    period, mila = telling.company.id("period"), telling.company.id("mila")
    statement = telling.api.get("bonus", f"/v1/periods/{period}/statements/{mila}")
    telling.checks.equal("the approved statement has not changed", statement, telling.kept["statement"])
    corrected = expected_payout(telling, *telling.kept["corrected"])
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
    report = telling.api.post("kpi-aggregator", "/v1/recompute")
    telling.checks.equal("every figure again from the kept facts", report["equal"], True)
    telling.say("all running figures equal their recomputation")


ALL: tuple[Chapter, ...] = (
    the_company,
    the_answers,
    the_fair_figure,
    the_follow_up,
    the_bonus,
    three_corrections,
    the_closed_period,
)
