"""Plans, figures and snapshots for the tests, with what a test does not care about filled in."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from bonus.domain.curve import Curve
from bonus.domain.explanation import Explainer, Facts, Terms
from bonus.domain.plan import Component, Payee, Plan, View
from bonus.domain.run import calculate
from bonus.domain.settlement import Settled
from bonus.domain.snapshot import Contribution, Figure, Figures, Snapshot
from bonus.domain.standing import Standing
from bonus.domain.statement import Statement
from bonus.domain.tenure import Assigned, Days

QUARTER = Days(date(2026, 1, 1), date(2026, 4, 1))  # 90 days
CURVE = Curve(threshold=Decimal(30), target=Decimal(40), excellence=Decimal(60), cap=Decimal("1.5"))


def component(
    id: str = "own", *, scope: str = "self", weight: str = "1", curve: Curve = CURVE, **more: Any
) -> Component:
    fields: dict[str, Any] = {"kpi": "nps", "view": "influenced"} | more
    return Component(id=id, scope=scope, weight=Decimal(weight), curve=curve, **fields)


def plan(*components: Component, payees: Sequence[Payee | str] = ("m1",), **more: Any) -> Plan:
    fields: dict[str, Any] = {
        "name": "Quarterly",
        "mode": "paid",
        "currency": "EUR",
        "scheme": "overachievement",
    }
    return Plan(
        components=components or (component(),),
        payees=tuple(
            payee if isinstance(payee, Payee) else Payee(employee=payee, target_bonus_minor=100_000)
            for payee in payees
        ),
        **(fields | more),
    )


def figure(scope: str, value: str | None, *, view: View = "influenced", **more: Any) -> Figure:
    """`scope` is "employee:m1", "org_unit:north" or "organisation:all"."""
    scope_type, _, scope_id = scope.partition(":")
    fields: dict[str, Any] = {
        "kpi": "nps",
        "n": None if value is None else 20,
        "scope_type": scope_type,
        "scope_id": scope_id,
    }
    return Figure(view=view, value=None if value is None else Decimal(value), **fields | more)


def both_views(scope: str, value: str | None, **more: Any) -> list[Figure]:
    return [figure(scope, value, view="influenced", **more), figure(scope, value, view="all", **more)]


def assigned(unit: str = "north", days: Days = QUARTER, role: str = "mechanic") -> Assigned:
    return Assigned(days, unit, role)


def standing(*, accepted: Sequence[str] = (), **assignments: Sequence[Assigned]) -> Standing:
    return Standing.of(
        QUARTER, {employee: list(held) for employee, held in assignments.items()}, set(accepted)
    )


def snapshot(
    *figures: Figure,
    contributions: Sequence[Contribution] = (),
    kpi: str = "nps",
    content_hash: str = "c0ffee",
) -> Snapshot:
    return Snapshot(
        id="01900000-0000-7000-8000-000000000001",
        kpi=kpi,
        period={"from": QUARTER.start, "to": QUARTER.end},
        content_hash=content_hash,
        figures=figures,
        contributions=tuple(msgspec.Raw(msgspec.json.encode(one)) for one in contributions),
    )


def of(*figures: Figure) -> Figures:
    return Figures.of(figures)


def payouts(settled: Sequence[Settled]) -> dict[str, int]:
    return {one.employee: one.payout for one in settled}


def explained(rules: Plan, where: Standing, facts: Mapping[str, Snapshot]) -> list[Statement]:
    """Every statement of a run, made of what the run keeps: terms and facts as JSON."""
    run = calculate(rules, where, facts)
    explainer = Explainer(msgspec.json.decode(msgspec.json.encode(run.terms), type=Terms))
    kept = [msgspec.json.decode(msgspec.json.encode(one), type=Facts) for one in run.facts]
    return [explainer.statement(one, paid.payout) for one, paid in zip(kept, run.settled, strict=True)]
