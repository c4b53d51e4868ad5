"""Predictions: how good they are, when they are withheld, and what they come to with the answers."""

import math
from datetime import date
from random import Random

import pytest

from kpi_aggregator.domain.prediction import (
    LEAST_ANSWERS,
    Scalar,
    Seen,
    no_better,
    reliability,
    too_few,
    usable,
    whole_base,
)
from kpi_aggregator.domain.training import train

PROMOTER, PASSIVE, DETRACTOR = range(3)


def customers(n: int, *, seed: int, telling: bool) -> list[Seen]:
    """Half the jobs need a second visit: then 1 in 10 is a promoter, else 7 in 10, if it tells anything."""
    chance = Random(seed)
    drawn = []
    for number in range(n):
        second_visit = chance.random() < 0.5
        unhappy = second_visit if telling else chance.random() < 0.5
        answer = chance.choices((PROMOTER, PASSIVE, DETRACTOR), (1, 2, 7) if unhappy else (7, 2, 1))[0]
        features: dict[str, Scalar] = {"second_visit": second_visit, "minutes": chance.randrange(90)}
        drawn.append(Seen(f"job-{number}", features, answer))
    return drawn


def answers(of: list[Seen]) -> list[int]:
    return [one.answered for one in of if one.answered is not None]


def test_the_brier_score_and_its_skill_are_worked_out_by_hand() -> None:
    came = [PROMOTER, DETRACTOR] * 10
    predicted = [(0.8, 0.1, 0.1), (0.2, 0.2, 0.6)] * 10

    found = reliability(predicted, came)

    # (0.2² + 0.1² + 0.1² + 0.2² + 0.2² + 0.4²)/2 against (0.5² + 0.5²)
    assert found.brier == pytest.approx(0.15)
    assert found.brier_base_rate == pytest.approx(0.5)
    assert found.skill == pytest.approx(0.7)
    # the gains are 0.44 and 0.26 in turn: 0.35 ± 1.96 · 0.09·√(20/19)/√20, over 0.5
    half = 1.96 * 0.09 / math.sqrt(19) / 0.5
    assert found.skill_ci95 == pytest.approx((0.7 - half, 0.7 + half), abs=1e-6)


def test_the_calibration_table_has_fifths_that_say_what_was_predicted_and_what_came() -> None:
    came = [DETRACTOR] * 10 + [PROMOTER] * 10
    predicted = [(0.1, 0.0, 0.9)] * 10 + [(0.9, 0.0, 0.1)] * 10

    rows = [row for row in reliability(predicted, came).calibration if row.answer == "detractor"]

    assert [(row.n, row.predicted, row.observed) for row in rows] == [
        (4, 0.1, 0.0),
        (4, 0.1, 0.0),
        (4, 0.5, 0.5),
        (4, 0.9, 1.0),
        (4, 0.9, 1.0),
    ]


def test_what_tells_something_is_found_and_calibrated() -> None:
    known = customers(1000, seed=1, telling=True)
    trained = train(known, [])

    found = reliability(trained.out_of_fold, answers(known))

    assert no_better(found) is None
    assert found.skill > 0.2
    assert max(abs(row.predicted - row.observed) for row in found.calibration) < 0.12


@pytest.mark.parametrize("seed", range(2))
def test_attributes_that_tell_nothing_are_refused_as_no_better_than_the_base_rate(seed: int) -> None:
    known = customers(400, seed=seed, telling=False)
    trained = train(known, [])

    reason = no_better(reliability(trained.out_of_fold, answers(known)))

    assert reason is not None
    assert "base rate" in reason


def test_the_same_answers_give_the_same_predictions() -> None:
    known, rest = customers(300, seed=3, telling=True), customers(50, seed=4, telling=True)

    assert train(known, rest) == train(known, rest)


def test_the_whole_base_is_right_where_the_unhappy_answer_less() -> None:
    everybody = customers(6000, seed=5, telling=True)
    chance = Random(6)
    known = [one for one in everybody if chance.random() < (0.1 if one.features["second_visit"] else 0.4)]
    ids = {one.id for one in known}
    rest = [one for one in everybody if one.id not in ids]
    truth = 100 * sum(1 - one for one in answers(everybody)) / len(everybody)

    trained = train(known, rest)
    found = whole_base(answers(known), trained.rest, trained.by_part)

    assert found.nps_of_answers > truth + 20
    low, high = found.ci95
    assert low <= truth <= high
    assert high - low < 12
    assert (found.interactions, found.answered) == (6000, len(known))


def test_with_every_customer_answering_the_whole_base_is_what_they_said_for_sure() -> None:
    found = whole_base([PROMOTER] * 6 + [PASSIVE] * 2 + [DETRACTOR] * 2, [], [0.0])

    assert (found.nps, found.ci95, found.nps_of_answers) == (40.0, (40.0, 40.0), 40.0)


def test_too_few_answers_or_too_few_of_one_kind_say_nothing() -> None:
    enough = [PROMOTER] * 100 + [PASSIVE] * 60 + [DETRACTOR] * 40
    assert len(enough) == LEAST_ANSWERS

    assert too_few(enough) is None
    assert too_few(enough[:-1]) is not None
    assert too_few([PROMOTER] * 150 + [PASSIVE] * 60 + [DETRACTOR] * 19) is not None


def test_an_attribute_that_names_an_employee_is_no_feature_of_any_interaction() -> None:
    day = date(2026, 2, 2)
    jobs: dict[str, tuple[date, str, str, dict[str, Scalar]]] = {
        "job-1": (day, "north", "replacement", {"glass": "side", "technician": "m1"}),
        "job-2": (day, "north", "replacement", {"glass": "rear", "technician": "somebody hired"}),
    }

    features = usable(jobs, frozenset({"m1", "m2"}))

    assert features == {
        "job-1": {
            "org_unit": "north",
            "touchpoint": "replacement",
            "weekday": "Mon",
            "month": "2026-02",
            "attribute:glass": "side",
        },
        "job-2": {
            "org_unit": "north",
            "touchpoint": "replacement",
            "weekday": "Mon",
            "month": "2026-02",
            "attribute:glass": "rear",
        },
    }
