"""Goals and their results for the HR system: one line a payee, period and goal."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from bonus.domain.curve import Curve
from bonus.domain.goal_results import GoalResult
from bonus.domain.money import decimal_text
from bonus.domain.payroll import neutral
from bonus.domain.plan import Payee, Plan


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What all lines of one period share. `run` is None as long as the period is not closed."""

    period: str
    start: date
    end: date
    status: str
    plan: str
    plan_version: int
    mode: str
    currency: str
    run: str | None


class Line(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """Decimals are strings. Without a result yet, all from `value` to `payout_minor` is null."""

    employee: str
    period: str
    start: date
    end: date
    status: str
    plan: str
    plan_version: int
    mode: str
    goal: str
    kpi: str
    scope: str
    view: str
    weight: str
    threshold: str
    target: str
    excellence: str
    value: str | None = None
    ci95_low: str | None = None
    ci95_high: str | None = None
    n: int | None = None
    reliability: str | None = None
    attainment: str | None = None
    multiple: str | None = None
    payout_minor: int | None = None
    currency: str
    run: str | None


COLUMNS = Line.__struct_encode_fields__
NUMBERS = frozenset(
    {"weight", "threshold", "target", "excellence", "value", "ci95_low", "ci95_high", "reliability"}
    | {"attainment", "multiple", "n", "payout_minor", "plan_version"}
)
"""Columns that hold what we computed or parsed as a number; a minus sign there is no formula."""


def result_lines(frame: Frame, results: Iterable[GoalResult]) -> list[Line]:
    return [_with_result(frame, one) for one in results]


def open_lines(frame: Frame, plan: Plan, payee: Payee, *, role: str | None) -> list[Line]:
    """Goals that are not decided yet."""
    weights = plan.weights(payee, role)
    return [
        Line(
            **_shared(frame, payee.employee, component.curve),
            goal=component.id,
            kpi=component.kpi,
            scope=component.scope,
            view=component.view,
            weight=decimal_text(weights[component.id]),
        )
        for component in plan.components
    ]


def as_csv(lines: Iterable[Line]) -> str:
    """RFC 4180; text that a spreadsheet would read as a formula gets an apostrophe in front."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for line in lines:
        rows.writerow([_cell(name, value) for name, value in msgspec.to_builtins(line).items()])
    return text.getvalue()


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    return str(value) if name in NUMBERS else neutral(str(value))


def _with_result(frame: Frame, result: GoalResult) -> Line:
    stated = result.stated
    low, high = stated.ci95 or (None, None)
    return Line(
        **_shared(frame, result.employee, result.curve),
        goal=stated.id,
        kpi=stated.kpi,
        scope=stated.scope,
        view=stated.view,
        weight=stated.weight,
        value=_text(stated.value),
        ci95_low=_text(low),
        ci95_high=_text(high),
        n=stated.n,
        reliability=_text(result.reliability),
        attainment=stated.attainment,
        multiple=stated.f,
        payout_minor=stated.payout_minor,
    )


def _shared(frame: Frame, employee: str, curve: Curve) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(frame),
        "employee": employee,
        "threshold": decimal_text(curve.threshold),
        "target": decimal_text(curve.target),
        "excellence": decimal_text(curve.excellence),
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else decimal_text(number)
