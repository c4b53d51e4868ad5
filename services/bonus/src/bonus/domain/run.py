"""One calculation of one period: a pure function of frozen facts, the plan and the rules below."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from bonus.domain.evidence import by_person
from bonus.domain.explanation import RULE_VERSION, Facts, Terms
from bonus.domain.plan import Plan
from bonus.domain.settlement import Settled, settle
from bonus.domain.snapshot import Figure, Figures, Invited, Snapshot, coverage_of
from bonus.domain.standing import Standing


@dataclass(frozen=True, slots=True)
class Run:
    """What everybody gets, in the order of the plan's payees, with `facts` (of each) and `terms` to explain it by.

    `unspent_minor` of a pool went to nobody.
    """

    terms: Terms
    settled: list[Settled]
    facts: list[Facts]
    unspent_minor: int

    @property
    def total_minor(self) -> int:
        return sum(one.payout for one in self.settled)


def calculate(plan: Plan, standing: Standing, snapshots: Mapping[str, Snapshot]) -> Run:
    """Compute every payout. `snapshots` by KPI. Raises MissingFigureError when a figure is missing."""
    frozen = [figure for snapshot in snapshots.values() for figure in snapshot.figures]
    coverage = coverage_of(snapshots.values()) if plan.asks_for_coverage else {}
    settled, unspent = settle(plan, standing, Figures.of(frozen, coverage))
    terms = Terms(
        plan=plan.without_payees(),
        figures=tuple(figure for figure in frozen if figure.scope_type != "employee"),
        inputs_hash=inputs_hash(plan, standing, {kpi: one.content_hash for kpi, one in snapshots.items()}),
    )
    return Run(terms, settled, _facts(plan, standing, snapshots, frozen, coverage), unspent)


def _facts(
    plan: Plan,
    standing: Standing,
    snapshots: Mapping[str, Snapshot],
    frozen: Iterable[Figure],
    coverage: Mapping[str, Invited],
) -> list[Facts]:
    accepted = frozenset(standing.accepted)
    figures: dict[str, list[Figure]] = defaultdict(list)
    for figure in frozen:
        if figure.scope_type == "employee":
            figures[figure.scope_id].append(figure)
    personal = sorted({component.kpi for component in plan.components if component.personal})
    responses = {kpi: by_person(snapshots[kpi]) for kpi in personal}
    return [
        Facts(
            payee=payee,
            standing=standing.only(payee.employee, payee.employee in accepted),
            figures=tuple(figures.get(payee.employee, ())),
            responses={kpi: tuple(of.get(payee.employee, ())) for kpi, of in responses.items()},
            invited=coverage.get(payee.employee),
        )
        for payee in plan.payees
    ]


def inputs_hash(plan: Plan, standing: Standing, content_hashes: Mapping[str, str]) -> str:
    """SHA-256 over facts, plan and rules: two runs with the same hash have the same statements, byte for byte."""
    inputs = {
        "rules": RULE_VERSION,
        "plan": plan.text_hash,
        "standing": standing,
        "facts": dict(content_hashes),
    }
    return hashlib.sha256(msgspec.json.encode(inputs, order="deterministic")).hexdigest()
