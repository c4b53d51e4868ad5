from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bonus.domain.payout import FILTER, TEAM, earn, earner
from bonus.domain.plan import Accepted, MinResponses, OrganisationKpi, Payee
from bonus.domain.run import calculate
from bonus.domain.snapshot import Contribution, Figure, ShareEntry, TookPart
from bonus.domain.waterfall import shapley

from .builders import (
    QUARTER,
    assigned,
    both_views,
    component,
    explained,
    figure,
    of,
    plan,
    snapshot,
    standing,
)

MIXED = (component("own", weight="0.6"), component("unit", scope="own_unit", weight="0.4"))
IN_NORTH = standing(m1=[assigned("north")])
FIGURES = (
    figure("employee:m1", "45.0", view="influenced", ci95=(Decimal("8.4"), Decimal("69.8"))),
    figure("employee:m1", "11.5", view="all", n=26),
    figure("org_unit:north", "33.0", view="influenced"),
    figure("org_unit:north", "33.0", view="all"),
)


def response(
    number: int, category: str, *, cause: str = "quality", share: str = "1", **part: bool
) -> Contribution:
    reason = "influenced" if Decimal(share) > 0 else "not_influenceable"
    entry = ShareEntry(
        subject_type="employee", subject_id="m1", share=Decimal(share), reason=reason, cause=cause
    )
    return Contribution(
        response_id=f"r{number:02}",
        category=category,
        entries=(entry,),
        participants=(TookPart(employee="m1", **part),),
    )


TWENTY_AND_SIX = [
    *(response(n, "promoter") for n in range(12)),
    *(response(n, "passive") for n in range(12, 17)),
    response(17, "detractor"),
    response(18, "detractor", cause="speed"),
    response(19, "detractor", cause="speed"),
    *(response(n, "detractor", cause="right_window", share="0") for n in range(20, 26)),
]


def test_shapley_values_of_filter_and_team() -> None:
    """45 influenced against 11.5 of all, a unit that pays .3: base 0, filter +90000, team −10500."""
    rules = plan(*MIXED)
    figures = of(*FIGURES)
    who = earner(
        rules,
        rules.payees[0],
        period=QUARTER,
        assignments=IN_NORTH.assignments["m1"],
        figures=figures,
        accepted=True,
    )
    others = frozenset({"shrinkage", "target", "cap"})

    def worth(on: frozenset[str]) -> Fraction:
        return earn(rules, who, figures, on=on | others).amount

    assert worth(frozenset()) == 0
    assert shapley((FILTER, TEAM), worth) == {FILTER: 90_000, TEAM: -10_500}
    assert worth(frozenset({FILTER, TEAM})) == 79_500


def test_a_statement_explains_its_payout_line_by_line() -> None:
    (one,) = explained(plan(*MIXED), IN_NORTH, {"nps": snapshot(*FIGURES, contributions=TWENTY_AND_SIX)})
    assert one.payout_minor == 79_500
    assert [(c.id, c.value, c.n, c.f, c.weight, c.payout_minor) for c in one.components] == [
        ("own", Decimal("45.0"), 20, "1.125", "0.6", 67_500),
        ("unit", Decimal("33.0"), 20, "0.3", "0.4", 12_000),
    ]
    assert one.components[0].ci95 == (Decimal("8.4"), Decimal("69.8"))
    assert [step.factor for step in one.waterfall] == [
        "base",
        "attribution_filter",
        "shrinkage",
        "team",
        "target",
        "cap",
    ]
    assert one.waterfall[0].amount_minor == 100_000
    assert sum(step.amount_minor for step in one.waterfall) == 79_500
    assert one.counted == 20
    assert [(x.response_id, x.reason) for x in one.excluded] == [
        (f"r{n}", "not_influenceable") for n in range(20, 26)
    ]


def test_the_counterfactual_names_the_fewest_detractors_per_cause() -> None:
    figures = (figure("employee:m1", "45.0"), figure("employee:m1", "11.5", view="all"))
    (one,) = explained(plan(), IN_NORTH, {"nps": snapshot(*figures, *_unit(), contributions=TWENTY_AND_SIX)})
    other = one.counterfactual
    assert other is not None
    assert (other.anchor, other.at) == ("excellence", "60")
    assert [(c.cause, c.detractors_to_passives, c.value) for c in other.changes] == [
        (None, 3, Decimal("60.0"))
    ]
    assert other.changes[0].payout_minor == 150_000


def test_there_is_nothing_to_gain_beyond_the_target_of_a_capped_scheme() -> None:
    (one,) = explained(
        plan(scheme="individual"), IN_NORTH, {"nps": snapshot(*FIGURES, contributions=TWENTY_AND_SIX)}
    )
    assert one.counterfactual is None


@pytest.mark.parametrize(
    ("contribution", "reason"),
    [
        (response(1, "promoter", share="0", verified=False), "not_influenceable"),
        (response(1, "promoter", share="0", excluded=True), "excluded_by_dispute"),
        (
            Contribution(response_id="r01", participants=(TookPart(employee="m1", verified=False),)),
            "unverified",
        ),
        (Contribution(response_id="r01", participants=(TookPart(employee="m1"),)), "not_influenceable"),
    ],
)
def test_every_response_that_does_not_count_says_why(contribution: Contribution, reason: str) -> None:
    (one,) = explained(plan(), IN_NORTH, {"nps": snapshot(*FIGURES, contributions=[contribution])})
    assert (one.counted, [x.reason for x in one.excluded]) == (0, [reason])


def test_in_the_view_of_all_every_verified_participation_counts() -> None:
    rules = plan(component(view="all"))
    (one,) = explained(rules, IN_NORTH, {"nps": snapshot(*FIGURES, contributions=TWENTY_AND_SIX)})
    assert (one.counted, one.excluded) == (26, ())


def test_an_unaccepted_plan_holds_the_payout() -> None:
    rules = plan(gates=(Accepted(),))
    (held,) = explained(rules, IN_NORTH, {"nps": snapshot(*FIGURES)})
    assert (held.payout_minor, held.held_minor) == (112_500, 112_500)
    assert held.gates[0].message == "held until the plan is accepted"
    accepted = standing(m1=[assigned("north")], accepted=["m1"])
    (free,) = explained(rules, accepted, {"nps": snapshot(*FIGURES)})
    assert (free.payout_minor, free.held_minor) == (112_500, 0)


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (OrganisationKpi(kpi="nps", minimum=Decimal(20)), 112_500),
        (OrganisationKpi(kpi="nps", minimum=Decimal(21)), 0),
        (OrganisationKpi(kpi="nps", minimum=Decimal(21), effect="scale", factor=Decimal("0.5")), 56_250),
    ],
)
def test_the_organisations_score_gates_the_payout(gate: OrganisationKpi, expected: int) -> None:
    facts = snapshot(*FIGURES, figure("organisation:all", "20.0", view="all"))
    (one,) = explained(plan(gates=(gate,)), IN_NORTH, {"nps": facts})
    assert one.payout_minor == expected
    assert sum(step.amount_minor for step in one.waterfall) == expected


def test_a_failed_gate_says_what_happens_instead() -> None:
    rules = plan(*MIXED, gates=(MinResponses(minimum=30),))
    (one,) = explained(rules, IN_NORTH, {"nps": snapshot(*FIGURES)})
    assert one.payout_minor == 30_000
    assert not one.gates[0].passed
    assert "own: 20" in one.gates[0].message
    assert [(s.scope_id, s.part) for s in one.components[0].sources] == [("north", "1")]


def test_the_same_inputs_give_the_same_bytes() -> None:
    facts = {"nps": snapshot(*FIGURES, contributions=TWENTY_AND_SIX)}
    moved_id = {"nps": msgspec.structs.replace(facts["nps"], id="another")}
    first, second = (explained(plan(*MIXED), IN_NORTH, given) for given in (facts, moved_id))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)


def test_the_hash_covers_facts_plan_and_who_worked_where() -> None:
    facts = {"nps": snapshot(*FIGURES)}
    other_facts = {"nps": snapshot(*FIGURES, content_hash="0ther")}
    hashes = {
        calculate(plan(*MIXED), IN_NORTH, facts).terms.inputs_hash,
        calculate(plan(*MIXED), IN_NORTH, other_facts).terms.inputs_hash,
        calculate(plan(*MIXED, notice_days=31), IN_NORTH, facts).terms.inputs_hash,
        calculate(plan(*MIXED), standing(m1=[assigned("north", role="planner")]), facts).terms.inputs_hash,
        calculate(plan(*MIXED), standing(m1=[assigned("north")], accepted=["m1"]), facts).terms.inputs_hash,
    }
    assert len(hashes) == 5


SCORES = st.decimals(min_value=-100, max_value=100, places=1).map(str)
WEIGHTS = st.integers(0, 100).map(lambda percent: (Decimal(percent) / 100, 1 - Decimal(percent) / 100))


@settings(max_examples=60, deadline=None)
@given(
    scores=st.tuples(SCORES, SCORES, SCORES),
    weights=WEIGHTS,
    target=st.integers(0, 10**7),
    cap=st.none() | st.integers(0, 10**6),
    scheme=st.sampled_from(["individual", "overachievement", "everyone", "pool"]),
    mode=st.sampled_from(["none", "A"]),
)
def test_components_and_waterfall_always_sum_to_the_payout(
    scores: tuple[str, str, str],
    weights: tuple[Decimal, Decimal],
    target: int,
    cap: int | None,
    scheme: str,
    mode: str,
) -> None:
    own, unfiltered, unit = scores
    payees = [
        Payee(employee="m1", target_bonus_minor=target, cap_minor=cap),
        Payee(employee="m2", target_bonus_minor=70_001),
    ]
    rules = plan(
        component("own", weight=str(weights[0])),
        component("unit", scope="own_unit", weight=str(weights[1])),
        payees=payees,
        scheme=scheme,
        reliability_mode=mode,
        flat_bonus_minor=33_333,
        pool_minor=123_457,
    )
    facts = snapshot(
        figure("employee:m1", own, reliability=Decimal("0.4128")),
        figure("employee:m1", unfiltered, view="all"),
        figure("employee:m2", unfiltered, reliability=Decimal("0.7")),
        *_unit(unit),
    )
    where = standing(m1=[assigned()], m2=[assigned()])
    for one in explained(rules, where, {"nps": facts}):
        assert sum(part.payout_minor for part in one.components) == one.payout_minor
        assert sum(step.amount_minor for step in one.waterfall) == one.payout_minor
    if scheme == "pool":
        run = calculate(rules, where, {"nps": facts})
        assert run.total_minor + run.unspent_minor == 123_457


def _unit(value: str = "33.0") -> list[Figure]:
    return both_views("org_unit:north", value)
