"""What people commit to in words: accepting the plan, writing down what they saw, and planning what they will do about
it, while everything falls over."""

from datetime import UTC, datetime
from typing import Any

from tests.chaos.caller import Caller, until
from tests.chaos.company import MANAGERS, PEOPLE, PLAN, TOP
from tests.chaos.journal import Journal

BEHAVIOUR = "explains"
ROLE = "mechanic"


async def expect(caller: Caller) -> None:
    """A behaviour is expected, and closed-loop knows of whom."""
    body = {"role": ROLE, "name": "Explains what was done"}
    await caller.put("closed-loop", f"/v1/behaviours/{BEHAVIOUR}", body)

    async def everybody_is_known() -> bool | None:
        told = await caller.get("closed-loop", f"/v1/adoption/org_unit/{TOP}")
        return told["training"]["people"] == len(PEOPLE) + len(MANAGERS) or None

    await until(everybody_is_known)


async def commit(caller: Caller, journal: Journal, *, name: str, number: int) -> None:
    """One person accepts the plan's text, one mechanic is observed, one action is planned that is to be looked at today;
    all are in the journal once they are sure."""
    plan = await caller.get("bonus", f"/v1/plans/{PLAN}")
    accepted = {"employee": sorted(PEOPLE)[number % len(PEOPLE)], "text_hash": plan["text_hash"]}
    await caller.post("bonus", f"/v1/plans/{PLAN}/acceptances", accepted, key=f"accept-{name}")
    journal.write("accepted", **accepted)
    mechanics = sorted(person for person, (role, _) in PEOPLE.items() if role == ROLE)
    seen = {
        "employee": mechanics[number % len(mechanics)],
        "behaviour": BEHAVIOUR,
        "shown": number % 2 == 0,
        "note": name,
    }
    await caller.post("closed-loop", "/v1/observations", seen, key=f"observe-{name}")
    journal.write("observed", **seen)
    await caller.put("closed-loop", f"/v1/action-plans/{name}", action_plan())
    journal.write("planned", plan=name)


def action_plan() -> dict[str, Any]:
    """With a review and a task due today."""
    today = str(datetime.now(UTC).date())
    owner = MANAGERS["north"]
    return {
        "action_item": "Seal every window the same way",
        "objective": "No window leaks",
        "background": "Quality costs most",
        "business_impact": {"amount_minor": 960_000, "currency": "EUR", "basis": "40 second visits"},
        "goal": {"scope_type": "organisation", "scope_id": "all", "target": "40", "by": "2100-01-01"},
        "project_plan": {"tasks": [{"id": "seal", "title": "Seal", "owner": owner, "due": today}]},
        "stage": "active",
        "owner": owner,
        "org_unit": "north",
        "review_dates": [today],
    }
