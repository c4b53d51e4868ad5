"""The life of a case: what answers do to it, what people do to it, what time does to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace as with_fields
from tests.unit.closed_loop.examples import (
    DIRECTORY,
    MONDAY_NINE,
    RESPONSE,
    RULE,
    act,
    opened,
    revision,
    situation,
)

from closed_loop.domain import commands
from closed_loop.domain.alerts import AlertRule
from closed_loop.domain.case import Case, NotAllowedError, allowed, case_id
from closed_loop.domain.commands import MissingDocumentationError
from closed_loop.domain.deadlines import tick
from closed_loop.domain.follow_up import follow_up, settle_owner
from closed_loop.domain.lifecycle import withdraw
from closed_loop.domain.routing import Directory

HOUR = timedelta(hours=1)
DOCUMENTED = {"root_cause": "wrong window", "promised": "", "outcome": "replaced"}


def acknowledged() -> Case:
    return commands.acknowledge(opened(), act(MONDAY_NINE + HOUR)).case


def resolved() -> Case:
    return commands.resolve(acknowledged(), act(MONDAY_NINE + 2 * HOUR), documentation=DOCUMENTED).case


def states(case: Case) -> dict[str, str]:
    return {clock.kind: clock.state for clock in case.clocks}


def test_an_unhappy_answer_opens_a_case_with_owner_clocks_and_notices() -> None:
    (change,) = follow_up(revision(0), {}, situation())
    case = change.case
    assert (case.status, case.track, case.owner, case.oversight_owner) == (
        "assigned",
        "detractor",
        "bea",
        "boss",
    )
    assert [clock.due_at for clock in case.clocks] == [
        datetime(2026, 3, 2, 13, tzinfo=UTC),
        datetime(2026, 3, 2, 17, tzinfo=UTC),
        datetime(2026, 3, 6, 17, tzinfo=UTC),
    ]
    assert [(notice.to, notice.kind) for notice in change.notices] == [
        ("bea", "assigned"),
        ("quality-desk", "fyi"),
    ]


def test_a_case_nobody_in_person_owns_is_new() -> None:
    (change,) = follow_up(revision(3), {}, situation(directory=Directory()))
    assert (change.case.status, change.case.owner) == ("new", "org_unit:north")


def test_a_happy_answer_opens_none() -> None:
    assert follow_up(revision(9), {}, situation()) == []
    assert follow_up(revision(None), {}, situation()) == []


def test_an_inactive_rule_opens_none() -> None:
    assert follow_up(revision(3), {}, situation(replace(RULE, active=False))) == []


def test_each_rule_has_its_own_case() -> None:
    worst = replace(RULE, id="worst", track="passive")
    first, second = follow_up(revision(3), {}, situation(RULE, worst))
    assert {first.case.id, second.case.id} == {case_id(RESPONSE, "default"), case_id(RESPONSE, "worst")}
    assert second.case.track == "passive"


def test_the_same_answer_again_changes_nothing() -> None:
    assert follow_up(revision(3, version=2), {"default": opened()}, situation()) == []


def test_a_better_answer_leaves_the_case_open_and_says_so() -> None:
    (change,) = follow_up(revision(9, version=2), {"default": opened()}, situation())
    assert (change.case.status, change.case.meets_rule, change.case.track) == ("assigned", False, "promoter")
    assert change.notes[0].text == (
        "The customer changed the answer: NPS 3, quality → NPS 9, quality."
        " It no longer meets the rule default; the case stays as it is."
    )


def test_a_late_match_moves_a_case_nobody_has_acted_on() -> None:
    (early,) = follow_up(revision(3, unit=None, participants=()), {}, situation())
    (change,) = follow_up(revision(3, version=2), {"default": early.case}, situation())
    assert (early.case.owner, change.case.owner, change.case.org_unit) == ("boss", "bea", "north")
    assert [one.kind for one in change.history] == ["rerouted"]


def test_a_late_match_moves_the_unit_but_not_the_owner_who_has_acted() -> None:
    (early,) = follow_up(revision(3, unit=None, participants=()), {}, situation())
    case = commands.acknowledge(early.case, act()).case
    (change,) = follow_up(revision(3, version=2), {"default": case}, situation())
    assert (change.case.owner, change.case.org_unit) == ("boss", "north")


def test_an_owner_who_becomes_known_later_gets_the_case() -> None:
    (early,) = follow_up(revision(3), {}, situation(directory=Directory()))
    change = settle_owner(early.case, situation(directory=DIRECTORY))
    assert (change.case.status, change.case.owner) == ("assigned", "bea")
    assert change.case.owner_reason == "manager of m1, who took part"
    assert change.case.oversight_owner == "boss"


def test_an_oversight_owner_the_rule_names_stays() -> None:
    rule = replace(RULE, oversight_owner="quality")
    (early,) = follow_up(revision(3), {}, situation(rule, directory=Directory()))
    assert settle_owner(early.case, situation(rule)).case.oversight_owner == "quality"


def test_erasure_closes_the_case_and_keeps_nothing_that_was_said() -> None:
    case = withdraw(resolved(), "erased", now=MONDAY_NINE + 5 * HOUR).case
    assert (case.status, case.closed_reason, case.documentation) == ("closed", "response erased", {})
    assert (case.scores.nps, case.causes, case.circumstances.participants) == (None, (), ())
    assert allowed(case) == ()
    assert withdraw(case, "erased", now=MONDAY_NINE).case is case


def test_erasure_stops_the_clocks_of_open_cases() -> None:
    case = withdraw(opened(), "deleted", now=MONDAY_NINE).case
    assert case.closed_reason == "response deleted"
    assert set(states(case).values()) == {"paused"}
    assert tick(case, act(MONDAY_NINE + timedelta(days=30))).case == case


def test_the_steps_of_a_case_settle_their_clocks() -> None:
    case = commands.contact(acknowledged(), act(MONDAY_NINE + 2 * HOUR), method="phone", note="called").case
    assert states(case) == {"acknowledge": "met", "contact": "met", "resolve": "running"}
    case = commands.resolve(case, act(MONDAY_NINE + 3 * HOUR), documentation=DOCUMENTED).case
    assert states(case) == {"acknowledge": "met", "contact": "met", "resolve": "met"}
    assert commands.close(case, act(MONDAY_NINE + 4 * HOUR)).case.status == "closed"


def test_whoever_contacts_the_customer_has_acknowledged_the_case() -> None:
    case = commands.contact(opened(), act(MONDAY_NINE + HOUR), method="phone").case
    assert (case.status, states(case)["acknowledge"]) == ("contacted", "met")


@pytest.mark.parametrize("status", ["new", "assigned", "resolved", "closed"])
def test_a_verb_that_does_not_go_with_the_state_names_those_that_do(status: str) -> None:
    case = with_fields(opened(), status=status)
    with pytest.raises(NotAllowedError) as refused:
        commands.resolve(case, act(), documentation=DOCUMENTED)
    assert refused.value.allowed == allowed(case)
    assert all(verb in str(refused.value) for verb in allowed(case))


def test_a_case_is_not_resolved_without_its_documentation() -> None:
    with pytest.raises(MissingDocumentationError) as refused:
        commands.resolve(acknowledged(), act(), documentation={"root_cause": "  "})
    assert refused.value.fields == ("root_cause", "outcome")


def test_a_pause_stops_the_clocks_and_resuming_gives_back_what_was_left() -> None:
    paused = commands.pause(acknowledged(), act(MONDAY_NINE + 2 * HOUR), reason="waiting for glass").case
    assert states(paused) == {"acknowledge": "met", "contact": "paused", "resolve": "paused"}
    assert "resume" in allowed(paused)
    assert "pause" not in allowed(paused)
    case = commands.resume(paused, act(MONDAY_NINE + 5 * HOUR)).case
    assert {clock.kind: clock.due_at for clock in case.clocks}["contact"] == datetime(
        2026, 3, 3, 12, tzinfo=UTC
    )


def test_resolving_a_paused_case_ends_the_pause() -> None:
    paused = commands.pause(acknowledged(), act(), reason="waiting").case
    case = commands.resolve(paused, act(MONDAY_NINE + timedelta(days=60)), documentation=DOCUMENTED).case
    assert not case.paused
    assert states(case)["resolve"] == "met"


def test_reopening_promises_contact_and_resolution_again() -> None:
    case = commands.reopen(resolved(), act(MONDAY_NINE + timedelta(days=1))).case
    assert case.status == "acknowledged"
    assert states(case) == {"acknowledge": "met", "contact": "running", "resolve": "running"}
    assert case.clocks[1].due_at == datetime(2026, 3, 3, 17, tzinfo=UTC)


def test_reassigning_gives_it_to_a_person_and_nothing_moves_it_afterwards() -> None:
    change = commands.reassign(opened(), act(), owner="sam")
    assert (change.case.owner, change.case.owner_reason) == ("sam", "reassigned by bea")
    assert settle_owner(change.case, situation()).case.owner == "sam"


def test_a_breach_is_a_flag_and_escalates_once() -> None:
    first = tick(opened(), act(MONDAY_NINE + 4 * HOUR, superior="boss"))
    assert (first.case.status, first.case.breached, first.case.escalated_to) == ("assigned", True, "boss")
    assert states(first.case) == {"acknowledge": "breached", "contact": "running", "resolve": "running"}
    second = tick(first.case, act(MONDAY_NINE + 8 * HOUR, superior="boss"))
    kinds = [notice.kind for notice in (*first.notices, *second.notices)]
    assert (kinds.count("breach"), kinds.count("escalation")) == (2, 1)


def test_the_owner_is_warned_once_before_the_deadline() -> None:
    first = tick(opened(), act(MONDAY_NINE + 3 * HOUR))
    assert [(notice.kind, notice.clock) for notice in first.notices] == [("warning", "acknowledge")]
    assert tick(first.case, act(MONDAY_NINE + 3 * HOUR)).case == first.case


def test_a_late_acknowledgement_cannot_outrun_the_breach() -> None:
    change = commands.acknowledge(opened(), act(MONDAY_NINE + 4 * HOUR))
    assert (change.case.status, change.case.breached) == ("acknowledged", True)
    assert states(change.case)["acknowledge"] == "breached"
    assert [one.kind for one in change.history] == ["breached", "escalated", "acknowledged"]


def test_escalating_by_hand_uses_the_one_escalation_up() -> None:
    case = commands.escalate(opened(), act()).case
    assert (case.escalated, case.escalated_to) == (True, "boss")
    assert "escalate" not in allowed(case)
    assert [n.kind for n in tick(case, act(MONDAY_NINE + 4 * HOUR)).notices].count("escalation") == 0


def test_a_rule_may_ask_for_no_documentation() -> None:
    rule: AlertRule = replace(RULE, required_documentation=())
    case = commands.acknowledge(opened(rule), act()).case
    assert commands.resolve(case, act(), documentation={}).case.status == "resolved"
