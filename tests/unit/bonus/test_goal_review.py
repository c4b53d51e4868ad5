from datetime import date
from decimal import Decimal

from bonus.domain.curve import Curve
from bonus.domain.goal_results import GoalResult
from bonus.domain.goal_review import due_on, period_figures, status
from bonus.domain.statement import StatedComponent

CURVE = Curve(threshold=Decimal(30), target=Decimal(40), excellence=Decimal(60), cap=Decimal("1.5"))


def result(employee: str, f: str, attainment: str | None) -> GoalResult:
    stated = StatedComponent(
        id="own",
        kpi="nps",
        scope="self",
        view="influenced",
        value=None,
        ci95=None,
        n=20,
        f=f,
        attainment=attainment,
        weight="1",
        payout_minor=0,
        sources=(),
    )
    return GoalResult(employee=employee, curve=CURVE, stated=stated, reliability=Decimal("0.4"))


def test_a_goal_is_asked_about_a_year_after_it_was_set_or_answered_about() -> None:
    assert due_on(date(2024, 2, 29), []) == date(2025, 3, 1)
    assert due_on(date(2025, 1, 1), [date(2025, 6, 1), date(2026, 2, 1)]) == date(2027, 2, 1)


def test_a_question_is_overdue_after_a_month() -> None:
    due = date(2026, 3, 1)
    assert [status(due, date(2026, *day)) for day in ((2, 28), (3, 1), (3, 31), (4, 1))] == [
        "coming",
        "due",
        "due",
        "overdue",
    ]


def test_the_figures_say_how_many_payees_are_at_nothing_and_at_the_cap() -> None:
    spread = [("0", "-1"), ("0", "-0.5"), ("0.5", "0.5"), ("1.125", "1.5"), ("1.5", "3")]
    results = [result(f"m{n}", *one) for n, one in enumerate(spread)]
    figures = period_figures("2026Q1", "overachievement", CURVE, results)
    assert (figures.payees, figures.at_zero, figures.at_cap) == (5, "0.4", "0.2")
    assert (figures.median_attainment, figures.mean_reliability) == ("0.5", "0.4")
    capped = period_figures("2026Q1", "individual", CURVE, results)
    assert capped.at_cap == "0.4"


def test_of_few_payees_nothing_is_shown() -> None:
    figures = period_figures("2026Q1", "individual", CURVE, [result("m1", "0", "-1")])
    assert (figures.payees, figures.at_zero, figures.median_attainment) == (1, None, None)
