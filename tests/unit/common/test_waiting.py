"""Waiting with an end to it."""

import pytest

from fairloop.waiting import rest


@pytest.mark.parametrize(
    ("events", "took", "seconds"),
    [(1, 0.008, 0.008), (1, 3.0, 0.05), (99, 0.02, 0.02), (100, 0.02, 0.0), (2000, 3.0, 0.0)],
)
def test_a_small_batch_rests_as_long_as_it_took_and_a_large_one_not_at_all(
    events: int, took: float, seconds: float
) -> None:
    assert rest(events, took) == seconds
