from decimal import Decimal

import pytest

from bonus.domain.curve import Curve
from bonus.domain.progress import sentence, uncounted, where

CURVE = Curve(threshold=Decimal(30), target=Decimal(40), excellence=Decimal(60), cap=Decimal("1.5"))


@pytest.mark.parametrize(
    ("score", "place"),
    [
        (None, "no_score"),
        ("29.9", "below_threshold"),
        ("30", "below_target"),
        ("40", "below_excellence"),
        ("60", "at_excellence"),
    ],
)
def test_a_score_has_its_place_among_the_points_of_the_curve(score: str | None, place: str) -> None:
    assert where(CURVE, None if score is None else Decimal(score)) == place


def test_the_sentence_says_which_points_the_interval_leaves_open() -> None:
    assert sentence(CURVE, Decimal("45.0"), (Decimal("8.4"), Decimal("58.8")), 20) == (
        "45 from 20 answers lies between the target of 40 and excellence at 60; the 95 % interval, 8.4 to 58.8, still "
        "contains the threshold and the target."
    )


def test_the_sentence_says_when_nothing_is_open() -> None:
    assert sentence(CURVE, Decimal("-5.5"), (Decimal("-9.1"), Decimal("-1.9")), 900) == (
        "-5.5 from 900 answers lies below the threshold of 30; the 95 % interval, -9.1 to -1.9, lies there too."
    )


def test_without_a_score_nothing_is_claimed() -> None:
    assert sentence(CURVE, None, None, None).startswith("No score of its own yet")


def test_what_does_not_count_is_listed_by_reason() -> None:
    assert list(
        uncounted({"a": "unverified", "b": "not_influenceable", "c": "not_influenceable"}).items()
    ) == [
        ("not_influenceable", 2),
        ("unverified", 1),
    ]
