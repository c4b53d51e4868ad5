from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from bonus.domain.plan import Employed, Payee, Plan
from bonus.domain.settlement import settle
from bonus.domain.standing import Standing
from bonus.domain.tenure import Days, tenure

from .builders import QUARTER, assigned, component, figure, of, payouts, plan, standing

MIXED = (component("own", weight="0.6"), component("unit", scope="own_unit", weight="0.4"))
FIGURES = of(
    figure("employee:m1", "45"),
    figure("org_unit:north", "33"),
    figure("org_unit:south", "38"),
    figure("organisation:all", "35"),
)


def day(number: int) -> date:
    return QUARTER.start + timedelta(days=number)


def payout(rules: Plan, where: Standing) -> int:
    return payouts(settle(rules, where, FIGURES)[0])["m1"]


def test_a_transfer_counts_the_own_score_whole_and_the_units_by_days() -> None:
    """30 days at f .3 and 60 days at f .8, own f 1.125 with weight .6."""
    moved = standing(m1=[assigned("north", Days(day(0), day(30))), assigned("south", Days(day(30), day(90)))])
    assert payout(plan(*MIXED), moved) == 92833


def test_a_joiner_is_paid_for_the_days_employed() -> None:
    joined = standing(m1=[assigned("north", Days(day(30), day(90)))])
    assert payout(plan(*MIXED, gates=(Employed(),)), joined) == 53000


def test_a_payee_is_paid_for_the_days_in_the_plan() -> None:
    payee = Payee(employee="m1", target_bonus_minor=100_000, start=day(30))
    assert payout(plan(*MIXED, payees=[payee]), standing(m1=[assigned("north")])) == 53000


def test_who_leaves_is_paid_for_the_days_unless_the_plan_says_forfeit() -> None:
    left = standing(m1=[assigned("north", Days(day(0), day(60)))])
    assert payout(plan(*MIXED, gates=(Employed(),)), left) == 53000
    assert payout(plan(*MIXED, gates=(Employed(effect="forfeit"),)), left) == 0


def test_a_joiner_forfeits_nothing() -> None:
    joined = standing(m1=[assigned("north", Days(day(30), day(90)))])
    assert payout(plan(*MIXED, gates=(Employed(effect="forfeit"),)), joined) == 53000


def test_a_day_in_two_units_counts_half_for_each() -> None:
    both = [assigned("north"), assigned("south", Days(day(45), day(90)))]
    held = tenure(both, QUARTER)
    assert held.units == {"north": Fraction(3, 4), "south": Fraction(1, 4)}
    assert held.employed == 90


def test_two_roles_in_one_unit_are_one_day_of_work() -> None:
    held = tenure([assigned(role="mechanic"), assigned(role="planner", days=Days(day(80), day(90)))], QUARTER)
    assert (held.employed, held.units, held.role) == (90, {"north": Fraction(1)}, "mechanic")


def test_without_an_assignment_there_is_no_day_and_no_unit() -> None:
    held = tenure([], QUARTER)
    assert (held.employed, held.units, held.role, held.to_the_end) == (0, {}, None, False)


def test_who_was_never_employed_in_the_period_gets_nothing() -> None:
    gone = standing(m1=[assigned("north", Days(day(90), day(99)))])
    assert gone.assignments == {}
    assert payout(plan(*MIXED, gates=(Employed(),)), gone) == 0


def test_weights_are_exact() -> None:
    assert plan(*MIXED).weights(Payee(employee="m1", target_bonus_minor=1), None) == {
        "own": Fraction(Decimal("0.6")),
        "unit": Fraction(Decimal("0.4")),
    }
