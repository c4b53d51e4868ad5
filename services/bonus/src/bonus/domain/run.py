"""One calculation of one period: a pure function of frozen facts, the plan and the rules below."""

import hashlib
from collections.abc import Mapping

import msgspec

from bonus.domain.evidence import by_person, evidence
from bonus.domain.money import round_half_even
from bonus.domain.payout import earn, earner
from bonus.domain.plan import Plan
from bonus.domain.pool import share_pool
from bonus.domain.snapshot import Figures, Snapshot
from bonus.domain.statement import Paid, Statement, state
from bonus.domain.tenure import Assigned, Days

RULE_VERSION = "bonus-rules-1"  # raise it with every change that can move an amount or a byte of a statement


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What besides scores and plan decides: the payees' assignments within the period and who accepted the plan."""

    period: Days
    assignments: dict[str, tuple[Assigned, ...]]
    accepted: tuple[str, ...]

    @classmethod
    def of(cls, period: Days, assignments: Mapping[str, list[Assigned]], accepted: set[str]) -> "Standing":
        """Clipped to the period and sorted, so that what does not matter cannot change the hash."""
        clipped = {
            employee: sorted(
                Assigned(days, a.org_unit, a.role)
                for a in held
                if (days := a.days.within(period.start, period.end)).count
            )
            for employee, held in sorted(assignments.items())
        }
        return cls(
            period=period,
            assignments={employee: tuple(held) for employee, held in clipped.items() if held},
            accepted=tuple(sorted(accepted)),
        )


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Statements in the order of the plan's payees; `unspent_minor` of a pool went to nobody."""

    inputs_hash: str
    statements: tuple[Statement, ...]
    unspent_minor: int

    @property
    def total_minor(self) -> int:
        return sum(statement.payout_minor for statement in self.statements)


def calculate(plan: Plan, standing: Standing, snapshots: Mapping[str, Snapshot]) -> Run:
    """Compute every statement. `snapshots` by KPI. Raises MissingFigureError when a figure is missing."""
    digest = inputs_hash(plan, standing, {kpi: snapshot.content_hash for kpi, snapshot in snapshots.items()})
    figures = Figures.of(figure for snapshot in snapshots.values() for figure in snapshot.figures)
    responses = by_person(snapshots.values())
    paid, unspent = pay(plan, standing, figures)
    statements = (
        state(
            plan,
            one,
            figures,
            evidence=evidence(plan, one.who.payee.employee, responses),
            responses=responses,
            inputs_hash=digest,
            rule_version=RULE_VERSION,
        )
        for one in paid
    )
    return Run(inputs_hash=digest, statements=tuple(statements), unspent_minor=unspent)


def pay(plan: Plan, standing: Standing, figures: Figures) -> tuple[list[Paid], int]:
    """What each payee gets, and what is left of a pool (0 in other schemes)."""
    accepted = frozenset(standing.accepted)
    earners = [
        earner(
            plan,
            payee,
            period=standing.period,
            assignments=standing.assignments.get(payee.employee, ()),
            figures=figures,
            accepted=payee.employee in accepted,
        )
        for payee in plan.payees
    ]
    earned = [(who, earn(plan, who, figures)) for who in earners]
    if plan.scheme != "pool":
        return [Paid(who, earnings, round_half_even(earnings.amount)) for who, earnings in earned], 0
    shared = share_pool(
        plan.pool_minor or 0,
        {who.payee.employee: earnings.amount for who, earnings in earned},
        caps={who.payee.employee: who.payee.cap_minor for who in earners if who.payee.cap_minor is not None},
        period=f"{standing.period.start}/{standing.period.end}",
    )
    unspent = shared.unspent if plan.mode == "paid" else 0
    return [Paid(who, earnings, shared.paid[who.payee.employee]) for who, earnings in earned], unspent


def inputs_hash(plan: Plan, standing: Standing, content_hashes: Mapping[str, str]) -> str:
    """SHA-256 over facts, plan and rules: two runs with the same hash have the same statements, byte for byte."""
    inputs = {
        "rules": RULE_VERSION,
        "plan": plan.text_hash,
        "standing": standing,
        "facts": dict(content_hashes),
    }
    return hashlib.sha256(msgspec.json.encode(inputs, order="deterministic")).hexdigest()
