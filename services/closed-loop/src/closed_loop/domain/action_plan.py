"""An action plan: the eight fields of the method, its stages, and what a plan may not say."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from typing import Literal

import msgspec

Stage = Literal["draft", "active", "review", "closed"]
GoalScope = Literal["org_unit", "organisation", "cause", "segment", "touchpoint"]
ReminderKind = Literal["review", "task", "goal"]
Fault = tuple[str, str]
"""Pointer to the field below the plan, and the rule it breaks."""

NEXT: Mapping[Stage, tuple[Stage, ...]] = {
    "draft": ("draft", "active"),
    "active": ("active", "review", "closed"),
    "review": ("review", "active", "closed"),
    "closed": ("closed",),
}
WORKING: frozenset[Stage] = frozenset({"active", "review"})


class Impact(msgspec.Struct, frozen=True):
    """What it is worth to the business, in minor units of the currency, and how that was found."""

    amount_minor: int
    currency: str
    basis: str


class Goal(msgspec.Struct, frozen=True):
    """A figure that shall be at least `target` (as it is displayed) on the day `by`."""

    kpi: Literal["nps", "csat", "ces"]
    scope_type: GoalScope
    scope_id: str
    target: Decimal
    by: date


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One step, due on a day, that begins when those it depends on are done."""

    id: str
    title: str
    owner: str
    due: date
    depends_on: tuple[str, ...] = ()
    done: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote down and keeps up to date; the analytics behind `background` are kept beside it, frozen."""

    action_item: str
    objective: str
    background: str
    business_impact: Impact
    obstacles: tuple[str, ...]
    goal: Goal
    tasks: tuple[Task, ...]
    result: str | None
    stage: Stage
    owner: str
    org_unit: str
    review_dates: tuple[date, ...]
    causes: tuple[str, ...]
    cases: tuple[str, ...]


class Reminder(msgspec.Struct, frozen=True):
    """Somebody is reminded on the morning of a day; `subject` is the task's id, else empty."""

    kind: ReminderKind
    subject: str
    due_on: date


def faults(plan: Plan, held: Plan | None) -> list[Fault]:
    """What is wrong with a plan that shall follow the one held; nothing when it may be kept."""
    return [*_stage_faults(plan, held), *task_faults(plan.tasks)]


def task_faults(tasks: Sequence[Task]) -> list[Fault]:
    """Ids given twice, dependencies that are not there, come later, or go round in a circle."""
    by_id = {task.id: task for task in tasks}
    found: list[Fault] = []
    for place, task in enumerate(tasks):
        where = f"/project_plan/tasks/{place}"
        if any(earlier.id == task.id for earlier in tasks[:place]):
            found.append((f"{where}/id", f"There are two tasks {task.id}."))
        for number, needed in enumerate(task.depends_on):
            if needed not in by_id:
                found.append((f"{where}/depends_on/{number}", f"There is no task {needed}."))
            elif by_id[needed].due > task.due:
                text = f"{task.id} is due before {needed}, which it depends on."
                found.append((f"{where}/due", text))
    circle = _circle({task.id: task.depends_on for task in tasks})
    if circle:
        found.append(("/project_plan/tasks", f"These depend on each other: {' → '.join(circle)}."))
    return found


def open_ends(plan: Plan) -> list[str]:
    """The tasks that can be worked on now: not done, and all they depend on is."""
    done = {task.id for task in plan.tasks if task.done}
    return [task.id for task in plan.tasks if not task.done and done.issuperset(task.depends_on)]


def reminders(plan: Plan) -> Iterator[Reminder]:
    """Whom time has to remind of what while a plan is being worked on."""
    if plan.stage not in WORKING:
        return
    for day in sorted(set(plan.review_dates)):
        yield Reminder("review", "", day)
    yield Reminder("goal", "", plan.goal.by)
    for task in plan.tasks:
        if not task.done:
            yield Reminder("task", task.id, task.due)


def to_remind(plan: Plan, reminder: Reminder) -> str:
    """The task's owner, else the plan's."""
    owners = {task.id: task.owner for task in plan.tasks}
    return owners.get(reminder.subject, plan.owner)


def task_owners(plan: Plan | None) -> set[str]:
    """Who has something to do; nobody before a plan is active."""
    return {task.owner for task in plan.tasks} if plan is not None and plan.stage in WORKING else set()


def _stage_faults(plan: Plan, held: Plan | None) -> Iterator[Fault]:
    allowed = NEXT[held.stage] if held is not None else ("draft", "active")
    if plan.stage not in allowed:
        before = "A new plan" if held is None else f"A plan that is {held.stage}"
        yield "/stage", f"{before} can be: {', '.join(allowed)}."
    if plan.stage in WORKING and not plan.tasks:
        yield "/project_plan/tasks", f"A plan that is {plan.stage} has a task."
    if plan.stage in WORKING and not plan.review_dates:
        yield "/review_dates", f"A plan that is {plan.stage} has a day on which it is reviewed."
    if plan.stage == "closed" and not (plan.result or "").strip():
        yield "/result", "A plan is closed with its result."
    if held is not None and _linked(plan.goal) != _linked(held.goal):
        yield "/goal", "The figure is linked when the plan is made: its analytics are frozen."


def _linked(goal: Goal) -> tuple[str, str, str]:
    return goal.kpi, goal.scope_type, goal.scope_id


def _circle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return names
    return []
