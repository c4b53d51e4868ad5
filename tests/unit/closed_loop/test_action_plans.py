"""What an action plan may say, whom it reminds, and what before and after tell."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from closed_loop.domain.action_plan import (
    Goal,
    Impact,
    Plan,
    Reminder,
    Stage,
    Task,
    faults,
    open_ends,
    reminders,
    task_faults,
    task_owners,
    to_remind,
)
from closed_loop.domain.comparison import Figure, compare

MAY = date(2026, 5, 1)
JUNE = date(2026, 6, 1)
ORDER = Task(id="order", title="Order earlier", owner="sam", due=MAY)
STOCK = Task(id="stock", title="Stock the ten most used", owner="bea", due=JUNE, depends_on=("order",))


def plan(**fields: Any) -> Plan:
    given: dict[str, Any] = {
        "action_item": "The right window is there",
        "objective": "Nobody waits twice",
        "background": "A third of all detractors name it",
        "business_impact": Impact(1_200_000, "EUR", "60 second visits a month at 200 euro"),
        "obstacles": ("the supplier's system",),
        "goal": Goal("nps", "org_unit", "north", Decimal(40), JUNE),
        "tasks": (ORDER, STOCK),
        "result": None,
        "stage": "active",
        "owner": "boss",
        "org_unit": "supply",
        "review_dates": (MAY,),
        "causes": ("right_window",),
        "cases": (),
    }
    return Plan(**(given | fields))


def pointers(now: Plan, held: Plan | None = None) -> list[str]:
    return [pointer for pointer, _ in faults(now, held)]


def test_a_plan_that_is_whole_has_no_faults() -> None:
    assert faults(plan(), None) == []


@pytest.mark.parametrize(
    ("before", "after", "fine"),
    [
        (None, "draft", True),
        (None, "active", True),
        (None, "review", False),
        (None, "closed", False),
        ("draft", "active", True),
        ("draft", "closed", False),
        ("active", "review", True),
        ("review", "active", True),
        ("active", "draft", False),
        ("review", "closed", True),
    ],
)
def test_stages_follow_each_other(before: Stage | None, after: Stage, fine: bool) -> None:
    held = None if before is None else plan(stage=before)
    assert (pointers(plan(stage=after, result="done"), held) == []) is fine


def test_a_plan_is_worked_on_with_a_task_and_a_day_of_review_and_closed_with_a_result() -> None:
    assert pointers(plan(tasks=(), review_dates=())) == ["/project_plan/tasks", "/review_dates"]
    assert pointers(plan(stage="draft", tasks=(), review_dates=())) == []
    assert pointers(plan(stage="closed", result=" "), plan()) == ["/result"]


def test_the_linked_figure_stays_and_its_target_may_change() -> None:
    other = replace(plan().goal, scope_id="supply")
    assert pointers(plan(goal=other), plan()) == ["/goal"]
    assert pointers(plan(goal=replace(plan().goal, target=Decimal(45))), plan()) == []


def test_tasks_depend_on_what_is_there_and_earlier_and_never_in_a_circle() -> None:
    alone = replace(STOCK, depends_on=("paint",))
    assert [pointer for pointer, _ in task_faults((alone,))] == ["/project_plan/tasks/0/depends_on/0"]
    early = replace(STOCK, due=date(2026, 4, 1))
    assert [pointer for pointer, _ in task_faults((ORDER, early))] == ["/project_plan/tasks/1/due"]
    twice = replace(STOCK, id="order", depends_on=())
    assert [pointer for pointer, _ in task_faults((ORDER, twice))] == ["/project_plan/tasks/1/id"]
    circle = (replace(ORDER, due=JUNE, depends_on=("stock",)), STOCK)
    ((pointer, text),) = task_faults(circle)
    assert pointer == "/project_plan/tasks"
    assert "order → stock → order" in text or "stock → order → stock" in text
    ((_, text),) = task_faults((replace(ORDER, depends_on=("order",)),))
    assert "order → order" in text


def test_a_task_can_be_begun_when_what_it_depends_on_is_done() -> None:
    assert open_ends(plan()) == ["order"]
    assert open_ends(plan(tasks=(replace(ORDER, done=True), STOCK))) == ["stock"]


def test_a_plan_reminds_of_reviews_its_goal_and_what_is_not_done() -> None:
    tasks = (replace(ORDER, done=True), STOCK)
    found = list(reminders(plan(tasks=tasks, review_dates=(MAY, JUNE))))
    assert found == [
        Reminder("review", "", MAY),
        Reminder("review", "", JUNE),
        Reminder("goal", "", JUNE),
        Reminder("task", "stock", JUNE),
    ]
    assert [to_remind(plan(), one) for one in found] == ["boss", "boss", "boss", "bea"]
    assert list(reminders(plan(stage="draft"))) == []
    assert list(reminders(plan(stage="closed"))) == []


def test_tasks_are_given_when_the_plan_is_active() -> None:
    assert task_owners(None) == task_owners(plan(stage="draft")) == set()
    assert task_owners(plan()) == {"sam", "bea"}


def nps(promoters: int, passives: int, detractors: int) -> Figure:
    n = promoters + passives + detractors
    return Figure(
        kpi="nps",
        suppressed=False,
        reason="shown",
        n=n,
        n_eff=float(n),
        value=round(100 * (promoters - detractors) / n, 1),
        ci95=(0, 0),
        weight=str(n),
        promoters_weight=str(promoters),
        detractors_weight=str(detractors),
    )


def other(kpi: str, value: float | None, low: float = 0, high: float = 0) -> Figure:
    return Figure(
        kpi=kpi, suppressed=value is None, reason="fewer than 5", n=9, n_eff=9, value=value, ci95=(low, high)
    )


def test_the_difference_of_two_scores_has_the_interval_of_both() -> None:
    """12/5/3: m' = .391304, SE'² = .024535; twice that: half-width 1.96 · √.049070 = .434168."""
    same = compare(nps(12, 5, 3), nps(12, 5, 3), target=45)
    assert (same.difference, same.ci95) == (0, (-43.4, 43.4))
    assert (same.goal_reached, "may well be the same" in same.message) == (True, True)
    assert "not a proof" in same.caveat


def test_a_difference_that_is_clear_says_so_and_no_more() -> None:
    """10/20/70 → 50/30/20: m' −.582524 and .291262, SE'² .004255 and .006057."""
    better = compare(nps(10, 20, 70), nps(50, 30, 20), target=40)
    assert (better.difference, better.goal_reached) == (90, False)
    assert better.ci95 == (67.5, 107.3)
    assert better.message == "The interval does not contain 0."


def test_shares_and_means_are_compared_by_the_ends_of_their_intervals() -> None:
    """Newcombe's example: 56/70 against 48/80, difference .2, interval [.0524, .3339]."""
    before, after = other("csat", 60.0, 49.04, 70.03), other("csat", 80.0, 69.18, 87.73)
    compared = compare(before, after, target=75)
    assert compared.difference == 20
    assert compared.ci95 == (pytest.approx(5.24, abs=0.02), pytest.approx(33.39, abs=0.02))


def test_too_few_answers_are_not_compared() -> None:
    compared = compare(other("csat", None), other("csat", 80.0, 70.0, 90.0), target=75)
    assert (compared.difference, compared.ci95, compared.goal_reached) == (None, None, True)
    assert compared.message == "There are too few answers before: fewer than 5."
    assert compare(nps(12, 5, 3), other("nps", None), target=1).goal_reached is None
