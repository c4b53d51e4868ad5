"""A figure that moved was told once, whoever found it and however often its event was delivered."""

from collections import Counter

from tests.chaos.evidence import Evidence


async def every_shift_is_told_once(evidence: Evidence) -> list[str]:
    """No two shifts of a scope have windows that overlap; each on the log is one notification for each recipient."""
    shifts = evidence.topic("kpi.shift.v1")
    wrong: list[str] = []
    ends: dict[tuple[str, str, str], str] = {}
    for event in sorted(shifts, key=lambda one: one.data["window_to"]):
        scope = (event.data["kpi"], event.data["scope_type"], event.data["scope_id"])
        if ends.get(scope, "") > event.data["window_from"]:
            wrong.append(f"{scope} shifted until {ends[scope]} and again from {event.data['window_from']}")
        ends[scope] = event.data["window_to"]
    listed = await evidence.caller.every("closed-loop", "/v1/notifications", kind="kpi_shift")
    told = Counter((one["about"]["id"], one["recipient"]) for one in listed)
    wrong += [
        f"shift {id}: told {recipient} {count} times" for (id, recipient), count in told.items() if count > 1
    ]
    wrong += [f"shift {id} was told to nobody" for id in {one.key for one in shifts} - {id for id, _ in told}]
    return wrong
