"""What each goal of one payee came to in a closed run, without the rest of the statement."""

from decimal import Decimal
from fractions import Fraction

import msgspec

from bonus.domain.curve import Curve
from bonus.domain.explanation import Facts, Terms
from bonus.domain.snapshot import Figures
from bonus.domain.statement import StatedComponent, Statement, retraced, stated_components


class GoalResult(msgspec.Struct, frozen=True, kw_only=True):
    """One component of one payee. `reliability` is λ of the own score."""

    employee: str
    curve: Curve
    stated: StatedComponent
    reliability: Decimal | None = None

    @property
    def attainment(self) -> Fraction | None:
        return None if self.stated.attainment is None else Fraction(self.stated.attainment)


def results(terms: Terms, facts: Facts, payout: int) -> list[GoalResult]:
    """In the order of the plan's components."""
    employee = facts.payee.employee
    plan = terms.plan.only(facts.payee)
    invited = {} if facts.invited is None else {employee: facts.invited}
    figures = Figures.of([*terms.figures, *facts.figures], invited)
    paid = retraced(plan, facts.payee, payout, standing=facts.standing, figures=figures)
    found = []
    for component, stated in zip(plan.components, stated_components(plan, paid, figures), strict=True):
        own = figures.employee(component.measure, employee, component.view) if component.personal else None
        reliability = None if own is None else own.reliability
        found.append(
            GoalResult(employee=employee, curve=component.curve, stated=stated, reliability=reliability)
        )
    return found


def results_as_written(statement: Statement, curves: dict[str, Curve]) -> list[GoalResult]:
    """The same from a statement that an earlier release wrote as a whole."""
    return [
        GoalResult(employee=statement.employee, curve=curves[stated.id], stated=stated)
        for stated in statement.components
    ]
