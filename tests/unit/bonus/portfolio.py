"""Many payees with all that moves an amount: transfers, joiners, roles, caps, thin and hidden scores, disputes.

Made from a seeded generator: the same arguments make the same portfolio, and so the same statements.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from bonus.domain.curve import Curve
from bonus.domain.plan import (
    Accepted,
    Component,
    Employed,
    MinResponses,
    Payee,
    Plan,
    ReliabilityMode,
    Scheme,
    View,
)
from bonus.domain.snapshot import Contribution, Figure, ScopeType, ShareEntry, Snapshot, TookPart
from bonus.domain.standing import Standing
from bonus.domain.tenure import Assigned, Days

from .builders import QUARTER

VIEWS: tuple[View, ...] = ("all", "influenced")

ALWAYS = Days(date(2025, 1, 1), date.max)


@dataclass(frozen=True)
class Steady:
    """How many of the payees stay in one unit, move once, or join late; the rest works nowhere."""

    stay: float
    move: float
    join: float


RESTLESS = Steady(stay=0.7, move=0.2, join=0.05)


def portfolio(
    chance: random.Random,
    scheme: Scheme,
    mode: ReliabilityMode,
    *,
    payees: int = 60,
    responses: int = 8,
    steady: Steady = RESTLESS,
) -> tuple[Plan, Standing, dict[str, Snapshot]]:
    """`payees` people with so many `responses` each, on average."""
    units = [f"unit-{number}" for number in range(max(2, payees // 20))]
    people = [f"m{number}" for number in range(payees)]
    rules = _plan(chance, scheme, mode, people)
    where = _standing(chance, people, units, steady)
    figures = _figures(chance, people, units)
    facts = Snapshot(
        id="01900000-0000-7000-8000-000000000001",
        kpi="nps",
        period={"from": QUARTER.start, "to": QUARTER.end},
        content_hash=f"h{payees}",
        figures=tuple(figures),
        contributions=tuple(_contribution(chance, number, people) for number in range(payees * responses)),
    )
    return rules, where, {"nps": facts}


def _curve(threshold: int, target: int, excellence: int, cap: str, at_threshold: str = "0") -> Curve:
    return Curve(
        threshold=Decimal(threshold),
        target=Decimal(target),
        excellence=Decimal(excellence),
        cap=Decimal(cap),
        at_threshold=Decimal(at_threshold),
    )


def _plan(chance: random.Random, scheme: Scheme, mode: ReliabilityMode, people: list[str]) -> Plan:
    own = "own_unit" if scheme == "team" else "self"
    return Plan(
        name="p",
        mode="paid",
        currency="EUR",
        scheme=scheme,
        components=(
            _component("own", own, "influenced", "0.6", _curve(30, 40, 60, "1.5")),
            _component("unit", "own_unit", "all", "0.3", _curve(20, 35, 50, "1.25")),
            _component("org", "organisation", "all", "0.1", _curve(10, 20, 30, "1.2", "0.5")),
        ),
        payees=tuple(
            Payee(
                employee=employee,
                target_bonus_minor=chance.randint(50_000, 200_000),
                cap_minor=chance.choice([None, None, 90_000]),
            )
            for employee in people
        ),
        gates=(MinResponses(minimum=3), Accepted(), Employed()),
        reliability_mode=mode,
        flat_bonus_minor=60_000,
        pool_minor=len(people) * 70_000,
        role_weights={"lead": {"own": Decimal("0.2"), "unit": Decimal("0.5"), "org": Decimal("0.3")}},
    )


def _component(id: str, scope: str, view: View, weight: str, curve: Curve) -> Component:
    return Component(id=id, kpi="nps", scope=scope, view=view, weight=Decimal(weight), curve=curve)


def _standing(chance: random.Random, people: list[str], units: list[str], steady: Steady) -> Standing:
    assignments: dict[str, list[Assigned]] = {}
    for employee in people:
        unit, cut = chance.choice(units), QUARTER.start + timedelta(days=chance.randint(1, 80))
        kind = chance.random()
        if kind < steady.stay:
            assignments[employee] = [Assigned(ALWAYS, unit, chance.choice(["mechanic", "mechanic", "lead"]))]
        elif kind < steady.stay + steady.move:
            assignments[employee] = [
                Assigned(Days(ALWAYS.start, cut), unit, "mechanic"),
                Assigned(Days(cut, ALWAYS.end), chance.choice(units), "mechanic"),
            ]
        elif kind < steady.stay + steady.move + steady.join:
            assignments[employee] = [Assigned(Days(cut, ALWAYS.end), unit, "mechanic")]
    accepted = {employee for employee in people if chance.random() < 0.9}
    return Standing.of(QUARTER, assignments, accepted)


def _figures(chance: random.Random, people: list[str], units: list[str]) -> list[Figure]:
    figures = []
    for employee in people:
        for view in VIEWS:
            kind = chance.random()
            if kind >= 0.05:
                figures.append(_own_figure(chance, employee, view, hidden=kind <= 0.1))
    for unit in units:
        for view in VIEWS:
            if chance.random() >= 0.1:
                value = Decimal(chance.randint(0, 600)).scaleb(-1)
                figures.append(_figure("org_unit", unit, view, n=200, value=value))
    figures.append(_figure("organisation", "all", "all", n=20_000, value=Decimal("25.4")))
    return figures


def _own_figure(chance: random.Random, employee: str, view: View, *, hidden: bool) -> Figure:
    shown = None if hidden else (chance.randint(1, 40), Decimal(chance.randint(-100, 1000)).scaleb(-1))
    n, value = shown or (None, None)
    return _figure(
        "employee",
        employee,
        view,
        n=n,
        value=value,
        ci95=(Decimal("1.2"), Decimal("80.5")),
        reliability=Decimal(chance.randint(0, 10_000)).scaleb(-4),
        suppressed=hidden,
    )


def _figure(scope_type: ScopeType, scope_id: str, view: View, **measured: Any) -> Figure:
    return Figure(kpi="nps", scope_type=scope_type, scope_id=scope_id, view=view, **measured)


def _contribution(chance: random.Random, number: int, people: list[str]) -> msgspec.Raw:
    influencer, other = chance.sample(people, 2)
    category = chance.choice(["promoter", "passive", "detractor", "detractor"])
    share = chance.choice(["0.500000", "0.250000", "0.333333", "0.000000"])
    own = ShareEntry(
        subject_type="employee",
        subject_id=influencer,
        share=Decimal(share),
        reason="influenced" if Decimal(share) else "not_influenceable",
        cause=chance.choice(["quality", "speed", "price"]),
    )
    rest = ShareEntry(
        subject_type="org_unit",
        subject_id="x",
        share=1 - Decimal(share),
        reason="influenced",
        cause="quality",
    )
    contribution = Contribution(
        response_id=f"r{number:07}",
        category=category,
        entries=(own, rest),
        participants=(
            TookPart(employee=influencer, verified=chance.random() < 0.9),
            TookPart(employee=other, excluded=chance.random() < 0.1),
        ),
    )
    return msgspec.Raw(msgspec.json.encode(contribution))
