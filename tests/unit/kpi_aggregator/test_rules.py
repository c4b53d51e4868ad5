"""Trees, corrections and who may see what, as plain rules."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.kpi_aggregator.seven import PARENTS, SEVEN

from kpi_aggregator.domain.access import Reader, verdict
from kpi_aggregator.domain.contribution import Contribution
from kpi_aggregator.domain.corrections import changes, corrected
from kpi_aggregator.domain.fold import Buckets, Placed, add, changed, take, totals
from kpi_aggregator.domain.frozen import (
    Circumstances,
    FrozenContribution,
    content_hash,
    figures,
    frozen,
    thawed,
)
from kpi_aggregator.domain.period import calendar
from kpi_aggregator.domain.settings import DEFAULTS
from kpi_aggregator.domain.tree import Tree

TREE = Tree(PARENTS)
Q1 = calendar("2026Q1")
UNDER = Circumstances(DEFAULTS["nps"], PARENTS, ("m1", "m2", "s1"))
FROZEN = {one.response_id: frozen(one, "nps") for one in SEVEN}


def test_a_unit_lies_in_the_subtree_of_everything_above_it() -> None:
    assert TREE.line("north") == ("north", "glass")
    assert TREE.line("unknown") == ("unknown",)
    assert TREE.subtree(["glass"]) == frozenset(PARENTS)
    assert TREE.subtree(["north"]) == {"north"}


def test_parents_in_a_ring_are_walked_once() -> None:
    ring = Tree({"a": "b", "b": "a"})

    assert ring.line("a") == ("a", "b")
    assert ring.subtree(["a"]) == {"a", "b"}


def test_only_units_whose_line_differs_have_moved() -> None:
    after = Tree({**PARENTS, "holding": None, "glass": "holding", "garage": None})

    assert TREE.moved(after) == frozenset(PARENTS)
    assert TREE.moved(Tree({**PARENTS, "garage": None})) == frozenset()


@given(st.permutations(SEVEN), st.integers(0, 7))
def test_taking_out_what_was_added_leaves_the_others(order: list[Contribution], kept: int) -> None:
    buckets: Buckets = {}
    for one in SEVEN:
        add(buckets, Placed(one, 0), TREE)
    for one in order[kept:]:
        take(buckets, Placed(one, 0), TREE)

    expected: Buckets = {}
    for one in reversed(order[:kept]):
        add(expected, Placed(one, 0), TREE)
    assert changed(buckets) == changed(expected)


def test_what_is_frozen_counts_again_the_same() -> None:
    again = [thawed(one, "nps") for one in FROZEN.values()]

    scopes = {"employee", "org_unit", "organisation", "cause"}
    before = {k: v for k, v in totals(SEVEN, "nps", TREE).items() if k.scope_type in scopes}
    after = {k: v for k, v in totals(again, "nps", TREE).items() if k.scope_type in scopes}
    assert after == before


def test_a_version_is_no_fact_but_a_score_is() -> None:
    shown = figures("nps", Q1, SEVEN, UNDER)

    def digest(contribution: FrozenContribution) -> str:
        return content_hash("nps", Q1, [contribution], shown, UNDER)

    one = FROZEN[UUID(int=1)]
    assert digest(one) == digest(replace(one, version=9))
    assert digest(one) != digest(replace(one, score=10))


def test_a_new_version_of_the_same_facts_is_no_change() -> None:
    assert changes(FROZEN, {rid: replace(one, version=2) for rid, one in FROZEN.items()}) == []


def test_a_response_erased_since_stays_as_it_was_frozen() -> None:
    erased = UUID(int=3)
    today = {rid: one for rid, one in FROZEN.items() if rid != erased}

    assert corrected(FROZEN, today, {erased, UUID(int=99)}) == FROZEN
    assert [change.kind for change in changes(FROZEN, corrected(FROZEN, today, frozenset()))] == ["removed"]


def test_nobody_in_particular_sees_only_the_organisation() -> None:
    nobody = Reader(everything=False, aggregates=False, manages=False, employee_id=None, units=frozenset())

    assert verdict(nobody, "organisation", "all", tree=TREE) == "allowed"
    assert verdict(nobody, "org_unit", "north", tree=TREE) == "hidden"
    assert verdict(nobody, "employee", "m1", tree=TREE) == "forbidden"
    assert verdict(nobody, "segment", "branch:north", tree=TREE) == "forbidden"
