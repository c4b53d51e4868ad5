"""What the soak's answers are about."""

from datetime import UTC, datetime, timedelta

from tests.chaos.caller import Caller
from tests.chaos.company import PEOPLE, UNITS, requests

JOBS = 2_000
_AT_ONCE = 500


async def set_up(caller: Caller) -> None:
    """The company of the chaos run, and the jobs."""
    for service, path, body in requests():
        await caller.put(service, path, body)
    people = sorted(PEOPLE)
    occurred = (datetime.now(UTC) - timedelta(days=25)).isoformat()
    jobs = [
        {
            "id": f"job-{number}",
            "occurred_at": occurred,
            "customer_ref": f"customer-{number}",
            "org_unit": UNITS[number % len(UNITS)],
            "touchpoint": "work",
            "participants": [
                {"employee": person, "role": PEOPLE[person][0]}
                for person in {people[number % len(people)], people[number // 7 % len(people)]}
            ],
        }
        for number in range(JOBS)
    ]
    for first in range(0, JOBS, _AT_ONCE):
        body = {"interactions": jobs[first : first + _AT_ONCE]}
        await caller.post("attribution", "/v1/interactions", body, key=f"jobs-{first}")
