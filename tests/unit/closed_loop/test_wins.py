"""What is a win, and whose."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from closed_loop.domain.wins import Influence, Resolved, praised, won_back

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def line(employee: str, share: int, cause: str | None = "quality") -> Influence:
    return Influence(employee, share, cause, "north")


def test_a_promoter_praises_those_who_influenced_the_cause_each_once() -> None:
    lines = [line("m1", 300_000), line("m1", 500_000, "speed"), line("m2", 200_000)]
    assert [(one.employee, one.cause) for one in praised(9, lines)] == [("m1", "speed"), ("m2", "quality")]


def test_no_win_without_influence_cause_or_a_promoters_score() -> None:
    assert praised(10, [line("m1", 0)]) == []
    assert praised(10, [line("m1", 1_000_000, None)]) == []
    assert praised(8, [line("m1", 1_000_000)]) == []
    assert praised(None, [line("m1", 1_000_000)]) == []
    assert praised(0, [line("m1", 1_000_000)]) == []


def test_a_customer_is_won_back_who_answers_as_a_promoter_after_the_case_was_settled() -> None:
    case = Resolved(UUID(int=1), "bea", "north", NOON)
    assert won_back([case], answered_at=NOON + timedelta(seconds=1)) == [case]
    assert won_back([case], answered_at=NOON) == []


def test_a_unit_that_owned_a_case_is_not_praised_in_person() -> None:
    case = Resolved(UUID(int=1), "org_unit:north", "north", NOON)
    assert won_back([case], answered_at=NOON + timedelta(days=1)) == []
