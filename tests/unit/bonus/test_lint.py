from decimal import Decimal
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from bonus.domain.curve import Curve
from bonus.domain.lint import Finding, Known, asked_of, findings
from bonus.domain.plan import OtherIncentive, Plan

from .builders import CURVE, component, plan

TEAM = component("unit", scope="own_unit")


def said(rules: Plan, **known: Any) -> list[Finding]:
    return findings(rules, Known(**known))


def codes(rules: Plan, **known: Any) -> list[str]:
    return [one.code for one in said(rules, **known)]


def paid_for(kind: Literal["efficiency", "customer"], weight: str) -> OtherIncentive:
    return OtherIncentive(metric="jobs a day", kind=kind, weight=Decimal(weight))


def curve(**changed: str) -> Curve:
    return replace(CURVE, **{name: Decimal(value) for name, value in changed.items()})


def test_a_sound_plan_has_nothing_to_say() -> None:
    assert said(plan(TEAM)) == []


@pytest.mark.parametrize(("weight", "found"), [("0.49", []), ("0.5", ["efficiency_outweighs_customers"])])
def test_pay_for_efficiency_must_not_outweigh_pay_for_customers(weight: str, found: list[str]) -> None:
    assert codes(plan(TEAM, other_incentives=(paid_for("efficiency", weight),))) == found


def test_other_pay_for_customers_counts_on_their_side() -> None:
    mixed = (paid_for("efficiency", "0.4"), paid_for("customer", "0.5"))
    assert codes(plan(TEAM, other_incentives=mixed)) == []


def test_the_sentence_says_what_would_go_wrong() -> None:
    (one,) = said(plan(TEAM, other_incentives=(paid_for("efficiency", "0.7"),)))
    assert one.message == (
        "70 % of what these people can earn is for efficiency (jobs a day) and 30 % for customers: where a job can "
        "be quick or good, it will be quick"
    )


def test_cliffs_are_jumps_of_the_curve_and_all_or_nothing() -> None:
    jump = component("unit", scope="own_unit", curve=curve(at_threshold="0.5"))
    assert [one.pointer for one in said(plan(jump))] == ["/components/0/curve/at_threshold"]
    assert [one.pointer for one in said(plan(TEAM, scheme="everyone", flat_bonus_minor=1))] == ["/scheme"]


@pytest.mark.parametrize(
    ("target", "found"), [("-5", ["target_not_positive"]), ("0", ["target_not_positive"]), ("1", [])]
)
def test_a_target_that_cannot_be_divided_by_is_told(target: str, found: list[str]) -> None:
    below = component("unit", scope="own_unit", curve=curve(threshold="-20", target=target))
    assert codes(plan(below)) == found


def test_a_token_weight_is_told() -> None:
    token = component("token", scope="organisation", weight="0.04")
    assert codes(plan(component("unit", scope="own_unit", weight="0.96"), token)) == ["token_weight"]


def test_short_notice_is_told() -> None:
    assert codes(plan(TEAM, notice_days=29)) == ["short_notice"]


def test_a_plan_that_only_tracks_is_judged_by_its_goals_not_by_its_money() -> None:
    loose = plan(TEAM, mode="track_only", scheme="everyone", flat_bonus_minor=1, notice_days=1)
    assert codes(loose, responses=None) == ["short_notice"]


def test_readiness_is_asked_of_the_units_behind_each_score() -> None:
    rules = plan(
        component("own", weight="0.4"),
        component("north", scope="org_unit:north", weight="0.3"),
        component("all", scope="organisation", weight="0.3"),
        component("shown", scope="org_unit:east", weight="0", paid=False),
    )
    assert asked_of(rules, frozenset({"south"})) == [
        ("nps", "org_unit", "north", "influenced"),
        ("nps", "org_unit", "south", "influenced"),
        ("nps", "organisation", "all", "influenced"),
    ]


def test_fewer_than_two_hundred_responses_are_too_few_for_pay() -> None:
    asked = ("nps", "org_unit", "north", "influenced")
    assert codes(plan(TEAM), responses={asked: 200}) == []
    assert codes(plan(TEAM), responses={asked: 199}) == ["too_few_responses"]
    assert "too few responses to show" in said(plan(TEAM), responses={asked: None})[0].message


def test_a_named_unit_answers_for_its_own_component_only() -> None:
    rules = plan(
        component("north", scope="org_unit:north", weight="0.5"),
        component("unit", scope="org_unit:south", weight="0.5"),
    )
    asked = {("nps", "org_unit", "north", "influenced"): 50, ("nps", "org_unit", "south", "influenced"): 500}
    assert [one.pointer for one in said(rules, responses=asked)] == ["/components/0"]
