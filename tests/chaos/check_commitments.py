"""What somebody was told is kept, is kept: once. What time has to remind of, it reminds of once."""

from collections import Counter

from tests.chaos.company import PLAN
from tests.chaos.evidence import Evidence


async def no_acceptance_is_lost(evidence: Evidence) -> list[str]:
    held = await evidence.caller.every("bonus", f"/v1/plans/{PLAN}/acceptances")
    found = {(one["employee"], one["text_hash"]) for one in held if one["counts"]}
    told = {(one["employee"], one["text_hash"]) for one in evidence.journal if one["do"] == "accepted"}
    return [
        f"{employee} has accepted {text_hash}, which is not known" for employee, text_hash in told - found
    ]


async def every_observation_is_kept_once(evidence: Evidence) -> list[str]:
    """A request that was asked again, because nobody knew its outcome, is one observation."""

    def fact(one: dict[str, object]) -> tuple[object, ...]:
        return one["note"], one["employee"], one["shown"]

    held = Counter(fact(one) for one in await evidence.caller.every("closed-loop", "/v1/observations"))
    told = Counter(fact(one) for one in evidence.journal if one["do"] == "observed")
    lost = [f"observation {one} is held {held[one]} times" for one in told if held[one] != 1]
    return lost + [f"observation {one} is held {times} times" for one, times in held.items() if times > 1]


async def every_reminder_comes_once(evidence: Evidence) -> list[str]:
    """Of every action plan that was answered 2xx: it is there, and its review and its task were told of once each."""
    told = Counter(
        (one["about"]["id"], one["kind"])
        for one in await evidence.caller.every("closed-loop", "/v1/notifications")
        if one["about"]["type"] == "action_plan"
    )
    expected = ("action_plan_task", "action_plan_review", "action_plan_task_due")
    plans = [str(line["plan"]) for line in evidence.journal if line["do"] == "planned"]
    return [
        f"plan {plan}: {told[plan, kind]} times {kind}"
        for plan in plans
        for kind in expected
        if told[plan, kind] != 1
    ]
