"""The worked example: what each person's and unit's figure is made of."""

import pytest
from msgspec.structs import replace
from tests.unit.kpi_aggregator.seven import M1, PARENTS, SEVEN, contribution, organisation, took_part

from kpi_aggregator.domain.contribution import NamedCause
from kpi_aggregator.domain.figure import Figure, figure
from kpi_aggregator.domain.fold import totals
from kpi_aggregator.domain.marks import Scope, ScopeType, View, marks
from kpi_aggregator.domain.period import calendar
from kpi_aggregator.domain.settings import DEFAULTS
from kpi_aggregator.domain.sums import NOTHING
from kpi_aggregator.domain.tree import Tree

TREE = Tree(PARENTS)
SUMS = totals(SEVEN, "nps", TREE)


def shown(scope_type: ScopeType, scope_id: str, view: View, min_n: int = 1) -> Figure:
    scope = Scope(scope_type, scope_id, view)
    sums = SUMS.get(scope, NOTHING)
    return figure("nps", scope, calendar("2026Q1"), sums, prior=DEFAULTS["nps"].prior, min_n=min_n)


def test_the_mechanics_influenced_figure() -> None:
    m1 = shown("employee", "m1", "influenced", min_n=5)

    assert (m1.n, m1.promoters, m1.passives, m1.detractors) == (5, 1, 1, 3)
    assert (m1.weight, m1.n_eff, m1.value) == ("3.000000", 4.5, -33.3)
    assert m1.ci95 == (-73.6, 33.6)
    assert (m1.promoters_weight, m1.passives_weight, m1.detractors_weight) == (
        "0.500000",
        "1.000000",
        "1.500000",
    )


def test_the_mechanics_figure_over_all_they_took_part_in() -> None:
    m1 = shown("employee", "m1", "all")

    assert (m1.n, m1.value) == (6, -16.7)


def test_an_unverified_participant_counts_nothing() -> None:
    assert shown("employee", "m2", "all").n == 1
    assert shown("employee", "m2", "influenced").n == 1


def test_the_units_influenced_figure() -> None:
    north = shown("org_unit", "north", "influenced")

    assert (north.weight, north.n_eff, north.value) == ("3.500000", 4.4545, -14.3)


def test_a_response_counts_once_for_a_unit_however_many_of_its_people_took_part() -> None:
    assert shown("org_unit", "north", "all").n == 6
    assert shown("org_unit", "glass", "all").n == 6


def test_the_organisations_figure_is_the_same_in_both_views() -> None:
    for view in ("all", "influenced"):
        organisation_figure = shown("organisation", "all", view)
        assert (organisation_figure.n, organisation_figure.value) == (7, -28.6)


def test_the_units_and_the_organisations_own_part_make_the_whole() -> None:
    weights = {unit: SUMS[Scope("org_unit", unit, "influenced")].w for unit in PARENTS if unit != "glass"}
    own = sum(entry.share for one in SEVEN for entry in one.entries if entry.subject_type == "organisation")

    assert weights == {"north": 3_500_000, "planning": 250_000, "workshop": 250_000, "supply": 500_000}
    assert own == 2_500_000
    assert sum(weights.values()) + own == 7_000_000
    assert SUMS[Scope("org_unit", "glass", "influenced")].w == 4_500_000


def test_a_cause_counts_responses_that_name_it_and_the_shares_it_has() -> None:
    assert SUMS[Scope("cause", "quality", "all")].n == 4
    assert SUMS[Scope("cause", "quality", "influenced")].w == 3_500_000
    assert SUMS[Scope("cause", "right_window", "influenced")].w == 500_000
    assert SUMS[Scope("cause", "window_replacement", "all")].n == 5
    assert SUMS[Scope("cause", "window_replacement", "influenced")].w == 5_000_000


def test_a_role_counts_like_its_people_together() -> None:
    assert SUMS[Scope("role", "mechanic", "all")].n == 6
    assert SUMS[Scope("role", "mechanic", "influenced")].w == 3_500_000
    assert SUMS[Scope("touchpoint", "replacement", "all")].n == 6


def test_an_excluded_person_leaves_both_views_and_the_unit_of_the_interaction_stays() -> None:
    response = contribution(
        8, 2, entries=(organisation(1_000_000),), participants=(took_part("m1", excluded=True), M1)
    )

    found = marks(response, TREE)

    assert not [scope for scope in found if scope.scope_type in {"employee", "role"}]
    assert found[Scope("org_unit", "north", "all")] == 1_000_000


@pytest.mark.parametrize("min_n", [6, 50])
def test_a_small_group_shows_nothing_measured(min_n: int) -> None:
    m1 = shown("employee", "m1", "influenced", min_n=min_n)

    assert m1.suppressed
    assert m1.reason == f"suppressed: fewer than {min_n} responses"
    measured = (m1.n, m1.weight, m1.n_eff, m1.promoters, m1.passives, m1.detractors, m1.value, m1.ci95)
    assert {*measured, m1.reliability, m1.shrunk, m1.adjusted, m1.prior, m1.position} == {None}


def test_nobody_asked_has_no_value() -> None:
    nobody = shown("employee", "m9", "all", min_n=0)

    assert (nobody.n, nobody.value, nobody.ci95, nobody.suppressed) == (0, None, None, False)


def test_a_segment_or_cause_nobody_can_ask_for_by_name_is_not_counted() -> None:
    odd = replace(SEVEN[0], segments={"order": "x" * 300, "note": "a\x00b", "branch": "north"})
    odd = replace(odd, causes=(NamedCause("other", "it was\nlate"),))

    found = [(scope.scope_type, scope.scope_id) for scope in marks(odd, TREE)]

    assert [scope_id for scope_type, scope_id in found if scope_type == "segment"] == ["branch:north"]
    assert [scope_id for scope_type, scope_id in found if scope_type == "cause"] == ["other"]
