"""From one revision of a response to its cases: opened, revised or left alone, by each alert rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from closed_loop.domain.alerts import AlertRule, meets
from closed_loop.domain.case import Case, Change
from closed_loop.domain.lifecycle import Revision, Terms, open_case, reroute, revise, withdraw
from closed_loop.domain.routing import Directory, oversight_of, route_case


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is in force now. `terms` by policy id; `zone` is the organisation's and tells on which day something is."""

    rules: Sequence[AlertRule]
    terms: Mapping[str, Terms]
    directory: Directory
    now: datetime
    zone: tzinfo


def concerns(revision: Revision, rules: Sequence[AlertRule]) -> bool:
    """True when some rule would open a case for it."""
    return revision.withdrawn is None and any(rule.active and meets(rule, revision.answer) for rule in rules)


def follow_up(revision: Revision, held: Mapping[str, Case], situation: Situation) -> list[Change]:
    """What the revision changes. `held`: the response's cases by their rule; at most one for each."""
    if revision.withdrawn is not None:
        return [
            withdraw(case, revision.withdrawn, now=situation.now) for case in held.values() if not case.erased
        ]
    changes: list[Change] = []
    for rule in situation.rules:
        case = held.get(rule.id)
        if case is not None:
            change = _carry_on(case, revision, rule, situation)
            if change.case != case:
                changes.append(change)
        elif rule.active and meets(rule, revision.answer):
            opened = _open(rule, revision, situation)
            changes.append(opened)
            situation = with_one_more(situation, opened.case.owner)
    return changes


def with_one_more(situation: Situation, owner: str) -> Situation:
    """The situation after a case was opened for the owner, which `dispatch` takes into account."""
    load = dict(situation.directory.load)
    load[owner] = load.get(owner, 0) + 1
    return replace(situation, directory=replace(situation.directory, load=load))


def settle_owner(case: Case, situation: Situation) -> Change:
    """The case where the directory, as known now, wants it."""
    day = case.opened_at.astimezone(situation.zone).date()
    to = route_case(
        case.circumstances, situation.directory, day, now=situation.now, route=case.route, current=case.owner
    )
    return reroute(case, to, oversight=oversight_of(situation.directory, day), now=situation.now)


def _open(rule: AlertRule, revision: Revision, situation: Situation) -> Change:
    day = situation.now.astimezone(situation.zone).date()
    return open_case(
        rule,
        revision,
        situation.terms[rule.sla_policy],
        to=route_case(revision.circumstances, situation.directory, day, now=situation.now, route=rule.route),
        oversight=oversight_of(situation.directory, day),
        now=situation.now,
    )


def _carry_on(case: Case, revision: Revision, rule: AlertRule, situation: Situation) -> Change:
    revised = revise(case, revision, rule, now=situation.now)
    moved = settle_owner(revised.case, situation)
    return revised.then(moved.case, history=moved.history, notices=moved.notices)
