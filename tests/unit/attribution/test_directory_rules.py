"""Org-unit trees, posted interactions and who may decide a dispute."""

from datetime import UTC, datetime

from attribution.domain.disputes import Claim, is_claimant, upheld_among
from attribution.domain.interactions import PostedInteraction, TookPart, outcomes
from attribution.domain.org_tree import cycle_through, subtree


def test_a_cycle_of_parents_is_found() -> None:
    assert cycle_through({"a": "b", "b": "c", "c": "a"}, "a") == ["a", "b", "c"]
    assert cycle_through({"a": "a"}, "a") == ["a"]
    assert cycle_through({"a": "b", "b": None}, "a") == []


def test_a_unit_below_a_cycle_is_not_part_of_it() -> None:
    assert cycle_through({"x": "a", "a": "b", "b": "a"}, "x") == []


def test_the_subtree_is_the_unit_and_all_below() -> None:
    parents = {"org": None, "north": "org", "south": "org", "workshop": "north"}
    assert subtree(parents, ["north"]) == {"north", "workshop"}
    assert subtree(parents, ["org"]) == set(parents)


def _job(id: str, *people: str) -> PostedInteraction:
    return PostedInteraction(
        id,
        datetime(2026, 3, 2, tzinfo=UTC),
        "c1",
        "north",
        "repair",
        tuple(TookPart(who, "mechanic") for who in people),
    )


def test_the_same_content_is_a_duplicate_and_another_a_correction() -> None:
    posted = [_job("j1", "m1"), _job("j2", "m1"), _job("j2", "m1"), _job("j2", "m2"), _job("j3")]
    assert outcomes(posted, {"j1": _job("j1", "m1")}) == [
        "duplicate",
        "accepted",
        "duplicate",
        "corrected",
        "accepted",
    ]


def test_only_upheld_disputes_change_a_ledger() -> None:
    upheld = upheld_among(
        [
            Claim("m1", "not_my_customer", "upheld"),
            Claim("m2", "not_my_customer", "rejected"),
            Claim("m3", "not_my_cause", "upheld"),
            Claim("m4", "not_my_cause"),
            Claim("m5", "other", "upheld"),
        ]
    )
    assert (upheld.not_my_customer, upheld.not_my_cause) == ({"m1"}, {"m3"})


def test_the_claimant_is_known_by_employee_id_and_by_login() -> None:
    claim = Claim("m1", "not_my_cause", claimant_sub="login-m1")
    assert is_claimant(claim, sub="other", employee="m1")
    assert is_claimant(claim, sub="login-m1", employee=None)
    assert not is_claimant(claim, sub="boss", employee="b1")
    assert not is_claimant(Claim("m1", "other"), sub="clerk", employee=None)
