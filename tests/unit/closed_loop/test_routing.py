"""Who owns a case, and why."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields
from tests.unit.closed_loop.examples import DIRECTORY, MONDAY_NINE, OFFICE, SINCE, TODAY

from closed_loop.domain.calendar import calendar
from closed_loop.domain.routing import (
    Circumstances,
    Directory,
    Person,
    Post,
    oversight_of,
    owning_unit,
    route_case,
    subtree,
)

VISIT = Circumstances(survey_type="transactional", unit="north", participants=("m2", "m1"))


def test_the_manager_of_somebody_who_took_part_owns_it() -> None:
    to = route_case(VISIT, DIRECTORY, TODAY, now=MONDAY_NINE)
    assert (to.owner, to.reason, to.org_unit) == ("bea", "manager of m1, who took part", "north")


def test_without_such_a_manager_the_first_active_employee_of_the_unit_by_id_does() -> None:
    to = route_case(with_fields(VISIT, participants=()), DIRECTORY, TODAY, now=MONDAY_NINE)
    assert (to.owner, to.reason) == ("m1", "first active employee of north")


def test_an_empty_unit_hands_over_to_the_next_one_up() -> None:
    to = route_case(with_fields(VISIT, unit="empty", participants=()), DIRECTORY, TODAY, now=MONDAY_NINE)
    assert (to.owner, to.reason, to.org_unit) == (
        "m1",
        "first active employee of north, above empty",
        "empty",
    )


def test_where_there_is_nobody_at_all_the_unit_itself_is_the_owner() -> None:
    to = route_case(
        with_fields(VISIT, participants=()), Directory(parents={"north": None}), TODAY, now=MONDAY_NINE
    )
    assert to.owner == "org_unit:north"


def test_a_unit_not_heard_of_yet_is_the_owner_all_the_same() -> None:
    assert route_case(VISIT, Directory(), TODAY, now=MONDAY_NINE).owner == "org_unit:north"
    assert (
        route_case(Circumstances(survey_type="transactional"), Directory(), TODAY, now=MONDAY_NINE).owner
        == "org_unit:all"
    )


def test_an_answer_without_an_interaction_goes_to_the_top() -> None:
    to = route_case(Circumstances(survey_type="transactional"), DIRECTORY, TODAY, now=MONDAY_NINE)
    assert (to.owner, to.org_unit) == ("boss", "glass")


def test_a_unit_that_owns_the_cause_gets_the_case_and_not_the_participants_manager() -> None:
    to = route_case(with_fields(VISIT, owning_unit="supply"), DIRECTORY, TODAY, now=MONDAY_NINE)
    assert (to.owner, to.org_unit) == ("sam", "supply")
    assert to.reason == "supply owns the cause: first active employee of supply"


def test_a_relationship_goes_to_the_account_owner_while_active() -> None:
    known = Circumstances(survey_type="relationship", customer="c1")
    assert route_case(known, DIRECTORY, TODAY, now=MONDAY_NINE).owner == "sam"
    assert route_case(with_fields(known, customer="c2"), DIRECTORY, TODAY, now=MONDAY_NINE).owner == "boss"
    assert route_case(with_fields(known, customer="c3"), DIRECTORY, TODAY, now=MONDAY_NINE).owner == "boss"


def test_a_rule_may_say_the_route_whatever_the_survey() -> None:
    visit_of_known = with_fields(VISIT, customer="c1")
    assert route_case(visit_of_known, DIRECTORY, TODAY, now=MONDAY_NINE, route="relationship").owner == "sam"


def test_dispatch_finds_the_least_loaded_and_leaves_the_case_there() -> None:
    two = replace(
        DIRECTORY,
        people={**DIRECTORY.people, "m2": Person()},
        load={"m1": 3, "m2": 1},
    )
    assert route_case(VISIT, two, TODAY, now=MONDAY_NINE, route="dispatch").owner == "m2"
    assert route_case(VISIT, two, TODAY, now=MONDAY_NINE, route="dispatch", current="m1").owner == "m1"


def test_posts_count_as_they_were_on_the_day_of_the_case() -> None:
    posts = {"north": (Post("m1", SINCE, TODAY), Post("m2", SINCE))}
    to = route_case(
        with_fields(VISIT, participants=()), replace(DIRECTORY, posts=posts), TODAY, now=MONDAY_NINE
    )
    assert to.owner == "m2"


def test_the_largest_single_share_decides_whether_a_unit_owns_the_cause() -> None:
    supply, m1 = ("org_unit", "supply"), ("employee", "m1")
    assert owning_unit([(*supply, 1_000_000)]) == "supply"
    assert owning_unit([(*supply, 500_000), (*m1, 500_000)]) is None
    assert owning_unit([(*supply, 333_334), (*m1, 333_333), (*supply, 333_333)]) == "supply"
    assert owning_unit([("organisation", "all", 1_000_000)]) is None
    assert owning_unit([]) is None


def test_oversight_is_with_the_top_unit() -> None:
    assert oversight_of(DIRECTORY, TODAY) == "boss"
    assert oversight_of(Directory(parents={"glass": None}), TODAY) == "org_unit:glass"
    assert oversight_of(Directory(), TODAY) == "org_unit:all"


def test_a_subtree_holds_its_roots_and_survives_a_circle() -> None:
    assert subtree(DIRECTORY.parents, ["north"]) == {"north", "empty"}
    assert subtree({"a": "b", "b": "a"}, ["a"]) == {"a", "b"}
    assert subtree({}, ["unknown"]) == {"unknown"}


def crew(**loads: int) -> Directory:
    """m1 works mornings, m2 the office hours that count for everybody else."""
    mornings = calendar("UTC", {"mon": [("06:00", "12:00")]}, [])
    return replace(
        DIRECTORY,
        posts={"north": (Post("m1", SINCE), Post("m2", SINCE))},
        people={"m1": Person(calendar="early"), "m2": Person()},
        load=loads,
        hours={"default": OFFICE, "early": mornings},
    )


@pytest.mark.parametrize(
    ("hour", "owner"),
    [(7, "m1"), (9, "m2"), (13, "m2"), (20, "m2")],
    ids=["only m1 works", "both work", "only m2 works", "m2 works first again"],
)
def test_dispatch_looks_for_the_least_loaded_of_those_at_work(hour: int, owner: str) -> None:
    now = MONDAY_NINE.replace(hour=hour)
    to = route_case(VISIT, crew(m1=5, m2=1), TODAY, now=now, route="dispatch")
    assert to.owner == owner
    kept = route_case(VISIT, crew(m1=5), TODAY, now=now, route="dispatch", current="m1")
    assert kept.owner == "m1"


def test_somebody_whose_calendar_is_not_known_counts_as_at_work() -> None:
    directory = replace(crew(m2=1), people={"m1": Person(calendar="unheard-of"), "m2": Person()})
    assert route_case(VISIT, directory, TODAY, now=MONDAY_NINE, route="dispatch").owner == "m1"
