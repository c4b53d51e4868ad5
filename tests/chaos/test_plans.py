"""What is planned follows from the seed, and the fold that judges a run keeps the published rules."""

from itertools import pairwise
from typing import Any

import pytest
from tests.chaos.fold import MILLION, Figure, figures_of, ledger_of, responses_of
from tests.chaos.plan import stories
from tests.chaos.schedule import Log, kinds, schedule, struck

LOGS: tuple[Log, ...] = ("kafka", "embedded")


@pytest.mark.parametrize("log", LOGS)
def test_a_seed_gives_one_schedule_and_another_seed_another(log: Log) -> None:
    first = schedule(1, seconds=600, log=log)
    assert first == schedule(1, seconds=600, log=log) != schedule(2, seconds=600, log=log)
    assert {kind.name for kind in kinds(log)} == {fault.kind for fault in first}
    assert all(fault.at + fault.seconds <= 600 for fault in first)


@pytest.mark.parametrize("log", LOGS)
def test_nothing_is_struck_before_it_has_recovered(log: Log) -> None:
    faults = schedule(3, seconds=3_600, log=log)
    for target in {one for fault in faults for one in struck(fault.target)}:
        at_it = [fault for fault in faults if target in struck(fault.target)]
        assert all(before.at + before.seconds < after.at for before, after in pairwise(at_it))


def test_a_seed_gives_one_traffic() -> None:
    first = stories(1, seconds=60, per_second=5)
    assert first == stories(1, seconds=60, per_second=5) != stories(2, seconds=60, per_second=5)
    done = {step.do for story in first for step in story.steps}
    assert done == {"answer", "interaction", "dispute", "work", "erase", "delete"}


def answered(score: int, cause: str, revision: int = 0, outcome: str = "accepted") -> dict[str, Any]:
    return {
        "do": "answer",
        "response_id": "r",
        "revision": revision,
        "score": score,
        "cause": cause,
        "outcomes": [outcome],
    }


def job(*people: str, unverified: tuple[str, ...] = (), same_customer: bool = True) -> dict[str, Any]:
    participants = [{"employee": one, "verified": one not in unverified} for one in people]
    return {
        "do": "interaction",
        "unit": "north",
        "participants": participants,
        "same_customer": same_customer,
    }


def upheld(employee: str, kind: str) -> dict[str, Any]:
    return {"do": "dispute", "employee": employee, "kind": kind, "uphold": True}


M1, M2, SCHEDULER = "mechanic-0", "mechanic-1", "scheduler-0"
HALF, QUARTER = MILLION // 2, MILLION // 4


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([answered(10, "quality"), job(M1, M2)], {M1: HALF, M2: HALF}),
        ([answered(2, "speed"), job(M1, SCHEDULER)], {M1: HALF, SCHEDULER: QUARTER, "planning": QUARTER}),
        ([answered(3, "right_window"), job(M1)], {"supply": MILLION}),
        ([answered(9, ""), job(M1)], {"all": MILLION}),
        ([answered(0, "quality"), job(M1, M2, unverified=(M2,))], {M1: HALF, "all": HALF}),
        ([answered(7, "quality"), job(M1)], {M1: MILLION}),
        ([answered(6, "quality")], {"all": MILLION}),
        ([answered(6, "quality"), job(M1, same_customer=False)], {"all": MILLION}),
        (
            [answered(9, "quality"), job(M1, M2, "mechanic-2")],
            {M1: 333_334, M2: 333_333, "mechanic-2": 333_333},
        ),
        (
            [answered(3, "quality"), job(M1, M2), upheld(M2, "not_my_cause")],
            {M1: HALF, "all": HALF},
        ),
        ([answered(3, "quality"), job(M1, M2), upheld(M2, "not_my_customer")], {M1: MILLION}),
        ([answered(3, "quality"), job(M1), {"do": "erase"}], {}),
    ],
)
def test_the_fold_shares_out_as_the_rules_say(lines: list[dict[str, Any]], expected: dict[str, int]) -> None:
    (response,) = responses_of({"story": 0, "survey": "jobs", **line} for line in lines).values()
    assert {subject: share for (_, subject), share in ledger_of(response).items()} == expected


def test_the_newest_revision_counts_in_whatever_order_they_came() -> None:
    lines = [answered(3, "quality", 2), answered(9, "speed", 1), answered(10, "speed", 4, "ignored")]
    (response,) = responses_of({"story": 0, "survey": "jobs", **line} for line in lines).values()
    assert (response.score, response.cause, response.ever_scores) == (3, "quality", {3})


def test_figures_are_sums_over_answers() -> None:
    scores = [10, 9, 7, 3]
    journal = [
        {"story": story, "survey": "relations", **answered(score, "")} for story, score in enumerate(scores)
    ]
    figures = figures_of(responses_of(journal).values())
    assert figures == {
        ("organisation", "all", view): Figure([2, 1, 1], [2 * MILLION, MILLION, MILLION])
        for view in ("all", "influenced")
    }
    assert figures["organisation", "all", "all"].value == 25.0
