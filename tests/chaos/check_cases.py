"""One case for one alert, worked as it was told, and every deadline passed once."""

from collections import Counter, defaultdict
from typing import Any

from tests.chaos.caller import side_by_side
from tests.chaos.company import URGENT, URGENT_SCORE
from tests.chaos.evidence import Evidence

THRESHOLDS = {"default": 6, URGENT: URGENT_SCORE}
AFTER = {
    "acknowledge": "acknowledged",
    "contact": "contacted",
    "resolve": "resolved",
    "close": "closed",
}
Alert = tuple[str, str]
"""(response, rule)"""


async def one_case_for_one_alert(evidence: Evidence) -> list[str]:
    """Of every state of an answer that met a rule there is a case, and only of those; every answer that meets one now
    or was worked on is among them."""
    cases = await evidence.caller.every("closed-loop", "/v1/cases")
    alerts = Counter((case["response_id"], case["alert_rule"]) for case in cases)
    wrong = [f"{count} cases of {alert}" for alert, count in alerts.items() if count > 1]
    raised = _raised(evidence)
    wrong += [f"no case of {alert}" for alert in sorted(raised - alerts.keys())]
    wrong += [f"a case of {alert}, which nothing raised" for alert in sorted(alerts.keys() - raised)]
    for response in evidence.responses.values():
        for rule, most in THRESHOLDS.items():
            alert = (response.id, rule)
            stands = response.score <= most and not response.retracted
            if stands and alert not in alerts:
                wrong.append(f"story {response.story}: {response.score} points and no case of {rule}")
            if alert in alerts and min(response.ever_scores) > most:
                wrong.append(f"story {response.story}: a case of {rule} for {response.ever_scores}")
    return wrong


def _raised(evidence: Evidence) -> set[Alert]:
    """What the answers on the log ask for, in every version intake took, however attribution batched them."""
    given = [
        (event.key, event.data["facts"]["scores"].get("nps"))
        for event in evidence.topic("survey.response.v1")
        if not event.data["erased"] and not event.data["deleted"]
    ]
    attributed = [
        (event.key, event.data["response"]["scores"].get("nps"))
        for event in evidence.topic("attribution.result.v1")
        if event.data["status"] != "erased"
    ]
    return {
        (response, rule)
        for response, nps in given + attributed
        for rule, most in THRESHOLDS.items()
        if nps is not None and nps <= most
    }


async def cases_stand_where_they_were_left(evidence: Evidence) -> list[str]:
    """The last verb that was answered 2xx, or closed with the answer that was taken back."""
    wrong: list[str] = []
    for case in await evidence.caller.every("closed-loop", "/v1/cases"):
        response = evidence.responses[case["response_id"]]
        if response.retracted:
            expected = {"closed"}
        elif response.verb and case["alert_rule"] == "default":
            expected = {AFTER[response.verb]}
        else:
            expected = {"new", "assigned"}
        if case["status"] not in expected:
            wrong.append(f"story {response.story}: case {case['id']} is {case['status']}, not {expected}")
    return wrong


async def no_deadline_passes_twice(evidence: Evidence) -> list[str]:
    """In every case's history a clock is warned of and breached at most once a cycle, and the case escalated once;
    every deadline that is over was noticed."""
    cases = await evidence.caller.every("closed-loop", "/v1/cases")
    wrong = await side_by_side(_passed_twice(evidence, case["id"]) for case in cases)
    return [one for several in wrong for one in several]


async def _passed_twice(evidence: Evidence, case_id: str) -> list[str]:
    case = await evidence.caller.get("closed-loop", f"/v1/cases/{case_id}")
    happened = Counter(what for line in case["history"] for what in _once_only(line))
    wrong = [f"case {case_id}: {count} times {what}" for what, count in happened.items() if count > 1]
    breached = {what[1] for what in happened if what[0] == "breached"}
    shown = {clock["kind"] for clock in case["clocks"] if clock["state"] == "breached"}
    if breached != shown:
        wrong.append(f"case {case_id}: breached are {shown}, its history says {breached}")
    return wrong


def _once_only(line: dict[str, Any]) -> list[tuple[str, ...]]:
    """What may happen to a case once, as this line says it; nothing for what may happen often."""
    match line["kind"]:
        case "warned" | "breached" as kind:
            return [(kind, line["data"]["clock"], str(line["data"]["cycle"]))]
        case "closed":  # by hand, and once more when the answer is taken back
            return [("closed", line["data"]["reason"])]
        case "escalated" | "opened" | "acknowledged" | "resolved" as kind:
            return [(kind,)]
        case _:
            return []


async def case_events_tell_each_breach_once(evidence: Evidence) -> list[str]:
    """On the log a clock becomes breached once, and stays so."""
    breaches: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for event in evidence.topic("closedloop.case.v1"):
        for clock in event.data["clocks"]:
            breaches[event.key, clock["kind"]].append(clock["state"] == "breached")
    return [
        f"case {case}: {kind} is breached and is not again"
        for (case, kind), states in breaches.items()
        if states != sorted(states)
    ]
