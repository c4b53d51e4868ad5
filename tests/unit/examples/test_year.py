"""The generated year: the same from the same seed, with exactly the problems that were planted."""

from collections.abc import Iterable
from datetime import date

import pytest
from examples.year.company import everybody
from examples.year.expected import Counts, nps_differs, share_differs
from examples.year.generator import (
    BAD_MONTH,
    INTERACTIONS,
    RESPONSES,
    SUMMER,
    UNFAIR_BRANCH,
    Job,
    Problems,
    Year,
    burdened,
    generate,
)

ENDS = date(2026, 1, 1)
HONEST = Problems(supplier=False, scheduler=False)


@pytest.fixture(scope="module")
def year() -> Year:
    return generate(seed=1, ends=ENDS)


def counts(answers: Iterable[Job]) -> Counts:
    scores = [answer.score for answer in answers]
    return Counts(len(scores), sum(score >= 9 for score in scores), sum(score <= 6 for score in scores))


def split(answers: Iterable[Job]) -> tuple[list[Job], list[Job]]:
    """Of the supplier's month, and of the others."""
    listed = list(answers)
    return [a for a in listed if a.month == BAD_MONTH], [a for a in listed if a.month != BAD_MONTH]


def test_it_has_the_size_that_is_promised(year: Year) -> None:
    assert (len(year.jobs), len(year.answers)) == (INTERACTIONS, RESPONSES)
    assert len(everybody()) == 40
    assert {job.branch for job in year.jobs} == {"north", "middle", "south"}
    assert (year.months[0], year.months[-1], len(year.months)) == (date(2025, 1, 1), ENDS, 13)
    assert all(year.months[0] <= job.at.date() < ENDS for job in year.jobs)


def test_the_same_seed_gives_the_same_year_and_another_seed_another() -> None:
    first, again = (generate(seed=7, ends=ENDS, scale=0.02) for _ in range(2))

    assert first == again
    assert generate(seed=8, ends=ENDS, scale=0.02) != first


def test_without_the_problems_the_same_people_do_the_same_jobs_for_the_same_customers(year: Year) -> None:
    honest = generate(seed=1, ends=ENDS, problems=HONEST)

    def facts(of: Year) -> list[tuple[object, ...]]:
        return [(job.number, job.at, job.branch, job.mechanic, job.hard, job.channel) for job in of.jobs]

    assert facts(honest) == facts(year)
    assert [a.number for a in honest.answers] == [a.number for a in year.answers]
    changed = [(was, is_) for was, is_ in zip(honest.jobs, year.jobs, strict=True) if was != is_]
    assert changed
    assert all(is_.month == BAD_MONTH or is_.mechanic in burdened() for _, is_ in changed)


def test_winter_is_busier_than_summer(year: Year) -> None:
    by_month = [sum(job.at.month == month for job in year.jobs) for month in range(1, 13)]

    assert max(by_month[month - 1] for month in SUMMER) < min(by_month[0], by_month[11])


@pytest.mark.parametrize(("seed", "ends"), [(1, ENDS), (2, date(2025, 7, 1)), (3, date(2026, 11, 1))])
def test_the_planted_truth_is_in_the_answers(seed: int, ends: date) -> None:
    answers = generate(seed=seed, ends=ends).answers
    month, rest = split(answers)
    named, named_rest = split(a for a in answers if a.cause == "Right window present")
    own, own_rest = split(a for a in answers if a.mechanics_own)

    assert share_differs(len(named), len(month), len(named_rest), len(rest)) > 10
    assert nps_differs(counts(month), counts(rest)) < -3
    assert abs(nps_differs(counts(own), counts(own_rest))) < 3

    here = [a for a in answers if a.branch == UNFAIR_BRANCH]
    hit, spared = ([a for a in here if (a.mechanic in burdened()) is is_hit] for is_hit in (True, False))
    assert nps_differs(counts(hit), counts(spared)) < -3
    assert (
        abs(
            nps_differs(
                counts(a for a in hit if a.mechanics_own), counts(a for a in spared if a.mechanics_own)
            )
        )
        < 3
    )
