"""What drives a figure and who else had a part, on the seven responses R1 … R7."""

import pytest
from tests.unit.kpi_aggregator.seven import PARENTS, SEVEN

from kpi_aggregator.domain.contributors import contributors
from kpi_aggregator.domain.drivers import by_cause, drivers
from kpi_aggregator.domain.figure import shown_value
from kpi_aggregator.domain.fold import totals
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.marks import Scope, ScopeType, View, marks
from kpi_aggregator.domain.tree import Tree

TREE = Tree(PARENTS)
VIEWS: tuple[View, ...] = ("all", "influenced")
PLACES: tuple[tuple[ScopeType, str], ...] = (
    ("employee", "m1"),
    ("employee", "m2"),
    ("org_unit", "north"),
    ("org_unit", "glass"),
    ("organisation", "all"),
    ("role", "mechanic"),
)
SCOPES = [Scope(scope_type, scope_id, view) for scope_type, scope_id in PLACES for view in VIEWS]


@pytest.mark.parametrize("scope", SCOPES, ids="-".join)
def test_the_parts_by_cause_sum_to_the_weight_of_the_response_in_the_scope(scope: Scope) -> None:
    for one in SEVEN:
        assert sum(by_cause(one, scope, TREE).values()) == marks(one, TREE).get(scope, 0)


@pytest.mark.parametrize("view", ["all", "influenced"])
def test_the_impacts_sum_to_the_figure_and_what_costs_most_comes_first(view: View) -> None:
    scope = Scope("employee", "m1", view)
    found = drivers(SEVEN, "nps", scope, TREE, min_n=1)
    value = shown_value(SCALES["nps"], totals(SEVEN, "nps", TREE)[scope])
    assert sum(one.impact or 0 for one in found) == pytest.approx(value, abs=0.05)
    impacts = [one.impact for one in found if one.impact is not None]
    assert impacts == sorted(impacts)


def test_influenced_causes_of_one_mechanic() -> None:
    found = drivers(SEVEN, "nps", Scope("employee", "m1", "influenced"), TREE, min_n=1)
    told = {one.cause: (one.n, one.weight, one.promoters, one.detractors, one.impact) for one in found}
    assert told == {
        "quality": (4, "2.500000", 1, 2, -16.67),
        "speed": (1, "0.500000", 0, 1, -16.67),
    }


def test_small_causes_are_hidden_and_so_is_what_would_tell_them() -> None:
    found = drivers(SEVEN, "nps", Scope("organisation", "all", "all"), TREE, min_n=2)
    assert [(one.cause, one.suppressed) for one in found] == [
        ("quality", False),
        (None, False),
        ("right_window", True),
        ("speed", True),
    ]
    assert drivers(SEVEN, "nps", Scope("employee", "m2", "influenced"), TREE, min_n=2) == []


def test_other_departments_are_named_with_their_shares() -> None:
    found = contributors(SEVEN, "nps", "m1", min_n=1)
    assert [(one.kind, one.id, one.n, one.weight) for one in found] == [
        ("self", "m1", 5, "3.000000"),
        ("organisation", None, 2, "1.500000"),
        ("org_unit", "north", 1, "0.500000"),
        ("org_unit", "supply", 1, "0.500000"),
        ("org_unit", "planning", 1, "0.250000"),
        ("org_unit", "workshop", 1, "0.250000"),
    ]
    assert sum(one.part for one in found) == pytest.approx(1, abs=1e-3)


def test_departments_with_few_answers_are_told_together_and_few_answers_tell_nothing() -> None:
    found = contributors(SEVEN, "nps", "m1", min_n=2)
    assert [(one.kind, one.id, one.n, one.weight) for one in found][2:] == [
        ("others", None, None, "1.500000")
    ]
    assert contributors(SEVEN, "nps", "m2", min_n=2) == []
