"""Status, verification, matrix version and units of one decision."""

import dataclasses
from datetime import date, timedelta

from tests.unit.attribution.windscreen import (
    ASSIGNMENTS,
    MATRIX,
    TAXONOMY,
    answer,
    attribute,
    job,
    reasons,
    shares,
)

from attribution.domain.assignments import Assignment, unit_on
from attribution.domain.decision import Response
from attribution.domain.matrix import InfluenceMatrix, in_force
from attribution.domain.rules import rules_of
from attribution.domain.taxonomy import ChosenCause, Leaf, Taxonomy, TopCause, chosen_leaves

DAY = date(2026, 3, 2)


def test_the_score_is_no_input() -> None:
    fields = {field.name for field in dataclasses.fields(Response)}
    assert fields == {
        "survey_type",
        "retracted",
        "customer",
        "looks_for",
        "link_vouches",
        "taxonomy",
        "causes",
    }


def test_a_response_that_names_an_unknown_interaction_is_pending() -> None:
    decision = attribute(answer("quality"), None)
    assert decision.status == "pending"
    assert shares(decision) == {"all": 1_000_000}


def test_a_relationship_survey_is_the_organisations_and_looks_for_nothing() -> None:
    decision = attribute(Response("relationship", looks_for="job-1"), job("m1"))
    assert decision.status == "relationship"
    assert shares(decision) == {"all": 1_000_000}


def test_a_retracted_response_has_no_entries() -> None:
    decision = attribute(Response("transactional", retracted=True, looks_for="job-1"), job("m1"))
    assert (decision.status, decision.entries, decision.participants) == ("erased", (), ())


def test_another_customer_makes_the_participants_unverified() -> None:
    decision = attribute(answer("quality", customer="c2"), job("m1"))
    assert (decision.status, decision.verified) == ("matched", False)
    assert shares(decision) == {"all": 1_000_000}
    assert reasons(decision, "m1") == {"unverified"}


def test_a_response_without_a_customer_is_unverified() -> None:
    assert not attribute(answer("quality", customer=None), job("m1")).verified


def test_a_signed_link_vouches_for_the_interaction() -> None:
    response = dataclasses.replace(answer("quality", customer=None), link_vouches=True)
    assert shares(attribute(response, job("m1"))) == {"m1": 1_000_000}


def test_without_a_taxonomy_name_the_only_one_counts_and_of_two_none() -> None:
    two = rules_of([TAXONOMY, Taxonomy("other")], [MATRIX], ASSIGNMENTS)
    assert shares(attribute(answer("quality"), job("m1"))) == {"m1": 1_000_000}
    assert shares(attribute(answer("quality"), job("m1"), rules=two)) == {"all": 1_000_000}
    named = dataclasses.replace(answer("quality"), taxonomy="windscreen")
    assert shares(attribute(named, job("m1"), rules=two)) == {"m1": 1_000_000}


def test_the_matrix_in_force_is_the_newest_that_had_begun() -> None:
    newer = InfluenceMatrix("windscreen", "windscreen", DAY, {("mechanic", "quality"): 500_000})
    versions = [newer, MATRIX]
    assert in_force(versions, "windscreen", DAY) is newer
    assert in_force(versions, "windscreen", DAY - timedelta(days=1)) is MATRIX
    assert in_force(versions, "windscreen", date(2025, 12, 31)) is None
    assert in_force(versions, "other", DAY) is None


def test_before_the_first_matrix_nobody_has_influence() -> None:
    decision = attribute(answer("right_window"), job("m1"), rules=rules_of([TAXONOMY], [], []))
    assert (decision.matrix_version, shares(decision)) == (None, {"supply": 1_000_000})


def test_level_one_alone_names_no_cause_when_it_has_children() -> None:
    leaves = TAXONOMY.leaves()
    assert chosen_leaves(leaves, [ChosenCause("window_replacement")]) == ()
    assert chosen_leaves(leaves, [ChosenCause("appointment")]) == (Leaf("appointment", "planning"),)


def test_causes_count_once_and_unknown_ones_not_at_all() -> None:
    chosen = [
        ChosenCause("window_replacement", "quality"),
        ChosenCause("window_replacement", "quality"),
        ChosenCause("window_replacement", "weather"),
        ChosenCause("weather"),
    ]
    assert chosen_leaves(TAXONOMY.leaves(), chosen) == (Leaf("quality"),)


def test_a_taxonomy_tells_which_ids_are_used_twice() -> None:
    twice = Taxonomy("t", (TopCause("a", children=(Leaf("x"),)), TopCause("b", children=(Leaf("x"),))))
    assert twice.repeated_ids() == ["x"]
    assert TAXONOMY.repeated_ids() == []


def test_the_unit_is_that_of_the_assignment_with_the_role_on_the_day() -> None:
    assignments = [
        Assignment("a", "m1", "mechanic", "north", date(2026, 1, 1), DAY),
        Assignment("b", "m1", "mechanic", "south", DAY),
        Assignment("c", "m1", "trainer", "academy", date(2026, 1, 1)),
    ]
    assert unit_on(assignments, "mechanic", DAY - timedelta(days=1)) == "north"
    assert unit_on(assignments, "mechanic", DAY) == "south"
    assert unit_on(assignments, "trainer", DAY) == "academy"
    assert unit_on(assignments[:1], "mechanic", DAY) is None


def test_the_only_assignment_counts_whatever_its_role() -> None:
    assert unit_on([Assignment("c", "m1", "trainer", "academy", DAY)], "mechanic", DAY) == "academy"
