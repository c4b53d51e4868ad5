"""The chapters of the story, in their order."""

from datetime import UTC, datetime
from typing import Any

from answers import MILA_CAN_INFLUENCE, Answer, job
from expected import nps
from pay import Chapter, the_approved_period, the_bonus
from telling import Telling


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
    if telling.company.guest:  # the default rule may have been changed
        branches = [telling.company.id("north"), telling.company.id("south")]
        theirs = {"field": "segment.branch", "op": "in", "value": branches}
        detractor = {
            "when": [{"field": "nps", "op": "<=", "value": 6}, theirs],
            "required_documentation": ["root_cause", "promised", "outcome"],
        }
        telling.api.put("closed-loop", f"/v1/alert-rules/{telling.company.detractor_rule}", detractor)
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
    if not telling.company.guest:
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
    telling.expect("The organisation", *telling.whole, "all", telling.organisation())
    attribution = telling.api.get(
        "attribution", f"/v1/attributions/{telling.responses[wrong_window_answer(telling).number]}"
    )
    shares = {entry["subject_id"]: entry["share"] for entry in attribution["entries"]}
    telling.checks.equal(
        "a wrong window is supply's", shares, {mila: "0.000000", company.id("supply"): "1.000000"}
    )
    telling.checks.equal("and is counted as the system's", attribution["system_share"], "1.000000")
    telling.say("the six wrong windows cost Mila nothing; they are supply's and the organisation's")


def wrong_window_answer(telling: Telling) -> Answer:
    return next(answer for answer in telling.answers if answer.cause == "Right window present")


def cases_of(telling: Telling) -> list[dict[str, Any]]:
    ours = set(telling.responses.values())
    cases = telling.api.every("closed-loop", "/v1/cases", org_unit=telling.company.top)
    return [case for case in cases if case["response_id"] in ours]


def the_follow_up(telling: Telling) -> None:
    """Every detractor has an owner and a deadline; one case is worked off, one is left too long."""
    telling.title("Nobody unhappy is forgotten")
    detractors = [answer for answer in telling.answers if answer.score <= 6]
    rule = telling.company.detractor_rule
    telling.checks.eventually(
        "a case for every detractor",
        lambda: sorted(case["response_id"] for case in cases_of(telling) if case["alert_rule"] == rule),
        sorted(telling.responses[answer.number] for answer in detractors),
    )
    cases = [case for case in cases_of(telling) if case["alert_rule"] == rule]
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
    telling.expect("… the organisation", *telling.whole, "all", telling.organisation())

    dispute = {
        "response_id": telling.responses[not_hers.number],
        "employee": mila,
        "kind": "not_my_customer",
        "reason": "Sam did this job, I was on leave.",
    }
    claimed = telling.employee("mila").post("attribution", "/v1/disputes", dispute)
    telling.api.post(
        "attribution",
        f"/v1/disputes/{claimed['id']}/decide",
        {"uphold": True, "reason": "The roster agrees."},
    )
    for scores in (influenced, everything):
        scores.remove(not_hers.score)
    telling.expect("not her customer: influenced", "employee", mila, "influenced", nps(influenced))
    telling.expect("… all answers", "employee", mila, "all", nps(everything))
    telling.expect("… the organisation, unchanged", *telling.whole, "all", telling.organisation())
    telling.kept["corrected"] = (nps(influenced).value, telling.organisation().value)

    customer = telling.company.id(f"customer-{forgotten.number}")
    telling.api.call("DELETE", "survey-intake", f"/v1/customers/{customer}")
    telling.answers.remove(forgotten)
    for scores in (influenced, everything):
        scores.remove(forgotten.score)
    telling.expect("a customer is forgotten: influenced", "employee", mila, "influenced", nps(influenced))
    telling.expect("… all answers", "employee", mila, "all", nps(everything))
    telling.expect("… the organisation", *telling.whole, "all", telling.organisation())
    telling.kept["influenced"] = influenced
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


ALL: tuple[Chapter, ...] = (
    the_company,
    the_answers,
    the_fair_figure,
    the_follow_up,
    the_bonus,
    three_corrections,
    the_approved_period,
)
