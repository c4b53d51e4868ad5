"""Who could be asked and who was, as the journal tells it."""

from tests.chaos.caller import side_by_side
from tests.chaos.company import PEOPLE, days_counted
from tests.chaos.evidence import Evidence
from tests.chaos.fold import jobs_of


async def coverage_is_the_folds(evidence: Evidence) -> list[str]:
    """Of the organisation and of every employee: no invitation lost, none counted twice, none of who is forgotten."""
    jobs = [job for job in jobs_of(evidence.journal) if job.invited]
    expected = {"organisation/all": (len(jobs), sum(job.sent for job in jobs))}
    for person in PEOPLE:
        theirs = [job for job in jobs if person in job.people]
        expected[f"employee/{person}"] = (len(theirs), sum(job.sent for job in theirs))
    found = await side_by_side(_coverage(evidence, scope) for scope in expected)
    return [
        f"coverage of {scope} is {shown}, expected {wanted}"
        for (scope, wanted), shown in zip(expected.items(), found, strict=True)
        if shown != wanted
    ]


async def _coverage(evidence: Evidence, scope: str) -> tuple[int, int]:
    days = days_counted(evidence.start)
    told = await evidence.caller.get("kpi-aggregator", f"/v1/coverage/{scope}", **days)
    return told["eligible"], told["sent"]
