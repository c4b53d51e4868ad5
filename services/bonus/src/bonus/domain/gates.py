"""Gates: conditions beside the score, each with a message for the payee."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from bonus.domain.missing import MissingFigureError
from bonus.domain.plan import Accepted, Coverage, Employed, Gate, MinResponses, OrganisationKpi, Payee, Plan
from bonus.domain.snapshot import Figures, Invited
from bonus.domain.tenure import Days, Tenure


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate says. `factor` multiplies the payout; `holds` keeps it back.

    `thin`: ids of components whose personal score has too few responses to count (λ = 0).
    """

    kind: str
    passed: bool
    message: str
    factor: Fraction = Fraction(1)
    holds: bool = False
    thin: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Situation:
    """What the gates look at for one payee."""

    plan: Plan
    payee: Payee
    figures: Figures
    tenure: Tenure
    window: Days
    accepted: bool


def verdicts(gates: Iterable[Gate], situation: Situation) -> tuple[Verdict, ...]:
    return tuple(_verdict(gate, situation) for gate in gates)


def _verdict(gate: Gate, situation: Situation) -> Verdict:
    match gate:
        case MinResponses():
            return _min_responses(gate, situation)
        case Accepted():
            return _accepted(situation)
        case Employed():
            return _employed(gate, situation)
        case OrganisationKpi():
            return _organisation_kpi(gate, situation)
        case Coverage():
            return _coverage(gate, situation)
    assert_never(gate)


def _min_responses(gate: MinResponses, s: Situation) -> Verdict:
    counts = {c.id: _own_n(c.measure, s, c.view) for c in s.plan.components if c.personal}
    thin = frozenset(id for id, n in counts.items() if too_few(n, gate.minimum))
    if not counts:
        return Verdict("min_responses", True, "this plan has no personal score")
    if not thin:
        return Verdict("min_responses", True, f"at least {gate.minimum} responses of your own")
    shown = ", ".join(
        f"{id}: {'too few to show' if counts[id] is None else counts[id]}" for id in sorted(thin)
    )
    message = f"fewer than {gate.minimum} responses of your own ({shown}); the team's result counts instead"
    return Verdict("min_responses", False, message, thin=thin)


def too_few(n: int | None, minimum: int) -> bool:
    """`n` is None when it is too small to be shown."""
    return n is None or n < minimum


def _own_n(measure: str, s: Situation, view: str) -> int | None:
    figure = s.figures.by_key.get((measure, "employee", s.payee.employee, view))
    if figure is None:
        return 0
    return None if figure.suppressed else figure.n


def _coverage(gate: Coverage, s: Situation) -> Verdict:
    personal = frozenset(c.id for c in s.plan.components if c.personal)
    invited = s.figures.coverage.get(s.payee.employee)
    if not personal:
        return Verdict("coverage", True, "this plan has no personal score")
    if invited is None or invited.eligible == 0:
        unknown = "unknown how many of your customers were invited; the team's result counts instead"
        return Verdict("coverage", False, unknown, thin=personal)
    asked = f"{invited.sent} of {invited.eligible} customers were invited"
    if not uncovered(invited, gate.minimum):
        return Verdict("coverage", True, f"{asked}, at least {gate.minimum} of them are needed")
    message = f"{asked}, less than {gate.minimum} of them; the team's result counts instead"
    return Verdict("coverage", False, message, thin=personal)


def uncovered(invited: Invited | None, minimum: Decimal) -> bool:
    """Unknown counts as too few, or recording no invitations would be the way around the gate."""
    return invited is None or invited.eligible == 0 or invited.sent < minimum * invited.eligible


def _accepted(s: Situation) -> Verdict:
    if s.accepted:
        return Verdict("accepted", True, "the plan was accepted")
    return Verdict("accepted", False, "held until the plan is accepted", holds=True)


def _employed(gate: Employed, s: Situation) -> Verdict:
    if gate.effect == "forfeit" and not s.tenure.to_the_end:
        return Verdict("employed", False, "left before the end of the period: forfeited", factor=Fraction(0))
    if s.tenure.employed == s.window.count:
        return Verdict("employed", True, f"employed on all {s.window.count} days")
    message = f"employed on {s.tenure.employed} of {s.window.count} days: paid for those"
    return Verdict("employed", False, message)


def _organisation_kpi(gate: OrganisationKpi, s: Situation) -> Verdict:
    figure = s.figures.organisation(gate.kpi, gate.view)
    if figure is None or figure.score is None:
        raise MissingFigureError(f"the organisation has no {gate.kpi} in this period, which a gate needs")
    name = f"the organisation's {gate.kpi} of {figure.score}"
    if figure.score >= gate.minimum:
        return Verdict("organisation_kpi", True, f"{name} reaches {gate.minimum}")
    if gate.factor is None:
        return Verdict(
            "organisation_kpi", False, f"{name} is below {gate.minimum}: nothing is paid", Fraction(0)
        )
    message = f"{name} is below {gate.minimum}: {gate.factor} of the payout"
    return Verdict("organisation_kpi", False, message, Fraction(gate.factor))
