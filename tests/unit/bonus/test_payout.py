from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonus.domain.missing import MissingFigureError
from bonus.domain.money import apportion
from bonus.domain.plan import MinResponses, Payee, Plan
from bonus.domain.settlement import settle
from bonus.domain.snapshot import Figure, Figures
from bonus.domain.standing import Standing
from bonus.domain.statement import retraced

from .builders import assigned, both_views, component, figure, of, payouts, plan, standing

MIXED = (
    component("own", weight="0.6"),
    component("unit", scope="own_unit", weight="0.4"),
)
IN_NORTH = standing(m1=[assigned("north")])


def payout(of_plan: Plan, where: Standing, figures: Figures) -> int:
    return payouts(settle(of_plan, where, figures)[0])["m1"]


def test_the_payout_is_rounded_once_and_the_components_sum_to_it() -> None:
    parts = (
        component("own", weight="0.6"),
        component("unit", scope="own_unit", weight="0.3"),
        component("organisation", scope="organisation", weight="0.1"),
    )
    rules = plan(*parts, payees=[Payee(employee="m1", target_bonus_minor=100_001)])
    figures = of(
        figure("employee:m1", "45"), figure("org_unit:north", "33"), figure("organisation:all", "35")
    )
    ((settled,), _) = settle(rules, IN_NORTH, figures)
    assert settled.payout == 81501
    paid = retraced(rules, rules.payees[0], settled.payout, standing=IN_NORTH, figures=figures)
    assert apportion(paid.payout, [line.amount for line in paid.earnings.lines]) == [67501, 9000, 5000]


@pytest.mark.parametrize(
    ("reliability", "expected"),
    [("1", 79500), ("0.5", 54750), ("0", 30000)],
)
def test_mode_a_moves_money_to_the_team_as_data_get_thin(reliability: str, expected: int) -> None:
    own = figure("employee:m1", "45", reliability=Decimal(reliability))
    figures = of(own, figure("org_unit:north", "33"))
    assert payout(plan(*MIXED, reliability_mode="A"), IN_NORTH, figures) == expected


def test_mode_a_with_the_published_prior() -> None:
    """Prior mean 40, between 15, within 80; 20 responses: λ = 225 / (225 + 6400/20) = .4128."""
    reliability = (Decimal(225) / (Decimal(225) + Decimal(6400) / 20)).quantize(Decimal("1e-12"))
    assert reliability.quantize(Decimal("0.0001")) == Decimal("0.4128")
    figures = of(figure("employee:m1", "45", reliability=reliability), figure("org_unit:north", "33"))
    assert payout(plan(*MIXED, reliability_mode="A"), IN_NORTH, figures) == 50436


def test_mode_a_without_a_reliability_stops_the_close() -> None:
    figures = of(figure("employee:m1", "45"), figure("org_unit:north", "33"))
    with pytest.raises(MissingFigureError, match="set a prior"):
        payout(plan(*MIXED, reliability_mode="A"), IN_NORTH, figures)


def test_too_few_responses_bring_the_teams_result_instead_of_nothing() -> None:
    figures = of(figure("employee:m1", "45", n=9), figure("org_unit:north", "33"))
    assert payout(plan(*MIXED, gates=(MinResponses(minimum=10),)), IN_NORTH, figures) == 30000


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("individual", [100_000, 100_000, 50_000, 100_000]),
        ("everyone", [60_000, 60_000, 0, 60_000]),
        ("overachievement", [125_000, 112_500, 50_000, 105_000]),
        ("pool", [95_541, 85_987, 38_217, 80_255]),
    ],
)
def test_what_each_scheme_pays(scheme: str, expected: list[int]) -> None:
    """Scores 50, 45, 35 and none; the unit has 42."""
    names = ["a", "b", "c", "d"]
    rules = plan(payees=names, scheme=scheme, flat_bonus_minor=60_000, pool_minor=300_000)
    where = standing(accepted=(), **{name: [assigned("north")] for name in names})
    assert list(payouts(settle(rules, where, _four_scores())[0]).values()) == expected


def test_a_team_gets_its_units_result_capped_at_the_target() -> None:
    names = ["a", "b", "c", "d"]
    rules = plan(component("unit", scope="own_unit"), payees=names, scheme="team")
    where = standing(accepted=(), **{name: [assigned("north")] for name in names})
    assert set(payouts(settle(rules, where, _four_scores())[0]).values()) == {100_000}


@pytest.mark.parametrize(
    ("pool", "expected", "unspent"),
    [
        (300_000, [80_000, 80_000, 60_000, 80_000], 0),
        (350_000, [80_000, 80_000, 80_000, 80_000], 30_000),
    ],
)
def test_a_capped_pool_redistributes_and_shows_what_it_could_not_settle(
    pool: int, expected: list[int], unspent: int
) -> None:
    names = ["a", "b", "c", "d"]
    payees = [Payee(employee=name, target_bonus_minor=100_000, cap_minor=80_000) for name in names]
    where = standing(accepted=(), **{name: [assigned("north")] for name in names})
    paid, left = settle(plan(payees=payees, scheme="pool", pool_minor=pool), where, _four_scores())
    assert (list(payouts(paid).values()), left) == (expected, unspent)


def test_a_suppressed_score_falls_back_to_the_unit_and_from_there_to_the_organisation() -> None:
    hidden = figure("employee:m1", None, suppressed=True)
    unit, everybody = figure("org_unit:north", "35"), figure("organisation:all", "40")
    assert payout(plan(), IN_NORTH, of(hidden, unit, everybody)) == 50_000
    hidden_unit = figure("org_unit:north", None, suppressed=True)
    assert payout(plan(), IN_NORTH, of(hidden, hidden_unit, everybody)) == 100_000


def test_the_close_stops_when_even_the_organisation_has_no_score() -> None:
    with pytest.raises(MissingFigureError, match="even the organisation"):
        payout(plan(), IN_NORTH, of(figure("organisation:all", None)))


def test_a_plan_that_only_tracks_pays_nothing() -> None:
    assert payout(plan(mode="track_only"), IN_NORTH, of(figure("employee:m1", "45"))) == 0


def test_a_payees_own_cap_limits_the_payout() -> None:
    rules = plan(payees=[Payee(employee="m1", target_bonus_minor=100_000, cap_minor=90_000)])
    assert payout(rules, IN_NORTH, of(figure("employee:m1", "45"))) == 90_000


def test_a_payees_own_weights_come_before_those_of_the_role() -> None:
    figures = of(figure("employee:m1", "45"), figure("org_unit:north", "33"))
    by_role = plan(*MIXED, role_weights={"mechanic": {"unit": Decimal(1)}})
    assert payout(by_role, IN_NORTH, figures) == 30_000
    payee = Payee(employee="m1", target_bonus_minor=100_000, weights={"own": Decimal(1)})
    own = plan(*MIXED, role_weights={"mechanic": {"unit": Decimal(1)}}, payees=[payee])
    assert payout(own, IN_NORTH, figures) == 112_500


SCORES = st.decimals(min_value=-100, max_value=100, places=1)


@given(
    SCORES,
    SCORES,
    st.sampled_from(["individual", "overachievement", "everyone"]),
    st.sampled_from(["none", "A"]),
)
def test_a_better_score_never_pays_less(one: Decimal, other: Decimal, scheme: str, mode: str) -> None:
    rules = plan(*MIXED, scheme=scheme, reliability_mode=mode, flat_bonus_minor=60_000)
    amounts = [
        payout(
            rules,
            IN_NORTH,
            of(
                figure("employee:m1", str(score), reliability=Decimal("0.3")),
                *both_views("org_unit:north", "42"),
            ),
        )
        for score in sorted((one, other))
    ]
    assert amounts == sorted(amounts)


def _four_scores() -> Figures:
    own: list[Figure] = [
        figure(f"employee:{name}", y) for name, y in zip("abc", ("50", "45", "35"), strict=True)
    ]
    return of(*own, figure("employee:d", None, n=0), figure("org_unit:north", "42"))


def test_the_parts_of_a_component_are_exact_fractions() -> None:
    figures = of(figure("employee:m1", "45"), figure("org_unit:north", "33"))
    rules = plan(*MIXED)
    lines = retraced(rules, rules.payees[0], 79_500, standing=IN_NORTH, figures=figures).earnings.lines
    assert [line.multiple for line in lines] == [Fraction(9, 8), Fraction(3, 10)]
