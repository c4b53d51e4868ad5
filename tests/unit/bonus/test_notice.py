from datetime import date

import pytest

from bonus.domain.notice import Counting, Published, TooEarlyError, counting_for, in_force_from, standing

FIRST = Published(1, "one", 30, date(2026, 1, 1), date(2026, 1, 31))


def second(on: date, notice_days: int = 30) -> Published:
    return Published(2, "two", notice_days, on, in_force_from(on, notice_days, [FIRST]))


def test_a_version_counts_when_its_notice_is_over() -> None:
    assert in_force_from(date(2026, 1, 1), 30, []) == date(2026, 1, 31)
    assert counting_for([FIRST], date(2026, 1, 31)) == Counting(FIRST, kept=True)


def test_a_change_cannot_shorten_the_notice_that_was_promised() -> None:
    assert second(date(2026, 3, 1), notice_days=0).in_force_from == date(2026, 3, 31)
    hasty = second(date(2026, 3, 1), notice_days=0)
    again = in_force_from(date(2026, 3, 2), 0, [FIRST, hasty])
    assert again == date(2026, 4, 1)


def test_a_period_that_begins_before_the_notice_is_over_keeps_the_older_version() -> None:
    versions = [FIRST, second(date(2026, 3, 15))]
    assert counting_for(versions, date(2026, 4, 1)) == Counting(FIRST, kept=True)
    assert counting_for(versions, date(2026, 4, 14)) == Counting(versions[1], kept=True)


def test_a_first_text_must_be_given_its_notice_before_a_period_begins() -> None:
    with pytest.raises(TooEarlyError, match="2026-01-31 at the earliest") as refused:
        counting_for([FIRST], date(2026, 1, 15))
    assert refused.value.earliest == date(2026, 1, 31)


def test_a_period_from_before_there_was_a_plan_is_calculated_and_says_so() -> None:
    assert counting_for([FIRST], date(2025, 10, 1)) == Counting(FIRST, kept=False)
    assert counting_for([], date(2025, 10, 1)) is None


def test_a_first_text_that_was_replaced_during_its_notice_never_counted() -> None:
    versions = [FIRST, second(date(2026, 1, 10))]
    assert counting_for(versions, date(2025, 10, 1)) == Counting(versions[1], kept=False)
    assert list(standing(versions, date(2026, 1, 20))) == [versions[1]]


def test_a_text_stands_until_a_newer_one_is_in_force() -> None:
    versions = [FIRST, second(date(2026, 3, 15))]
    assert list(standing(versions, date(2026, 4, 13))) == versions
    assert list(standing(versions, date(2026, 4, 14))) == [versions[1]]
