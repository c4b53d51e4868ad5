"""What happens to a case from outside: it is opened, its answer is edited or erased, its owner becomes known."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec.structs import replace

from closed_loop.domain.alerts import AlertRule, Answer, meets, track_of
from closed_loop.domain.calendar import Calendar
from closed_loop.domain.case import (
    Case,
    Change,
    Happened,
    Note,
    Notice,
    ScoresGiven,
    case_id,
    is_open,
)
from closed_loop.domain.routing import Circumstances, Destination, is_unit
from closed_loop.domain.sla import SlaPolicy, stand_still, start_clocks

SYSTEM = "system"
Withdrawal = Literal["erased", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A response in one version of its attribution, as far as a case cares.

    `withdrawn`: by the customer, who asked to be forgotten, or because it was wrong; then the rest is empty.
    """

    response_id: UUID
    version: int
    withdrawn: Withdrawal | None = None
    scores: ScoresGiven
    causes: tuple[str, ...]
    answer: Answer
    circumstances: Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The versions of policy and calendar a new case starts under, and keeps."""

    policy_id: str
    policy_version: int
    policy: SlaPolicy
    calendar_version: int
    calendar: Calendar


def open_case(
    rule: AlertRule, revision: Revision, terms: Terms, *, to: Destination, oversight: str, now: datetime
) -> Change:
    """A new case with its owner told, its watchers informed and its clocks running from now."""
    case = Case(
        id=case_id(revision.response_id, rule.id),
        version=0,
        response_id=revision.response_id,
        alert_rule=rule.id,
        track=rule.track or track_of(revision.scores.nps),
        method=rule.method,
        route=rule.route,
        status="new" if is_unit(to.owner) else "assigned",
        owner=to.owner,
        owner_reason=to.reason,
        oversight_owner=rule.oversight_owner or oversight,
        oversight_named=rule.oversight_owner is not None,
        watchers=rule.watchers,
        org_unit=to.org_unit,
        scores=revision.scores,
        causes=revision.causes,
        circumstances=revision.circumstances,
        required_documentation=rule.required_documentation,
        sla_policy=terms.policy_id,
        sla_policy_version=terms.policy_version,
        calendar=terms.policy.calendar,
        calendar_version=terms.calendar_version,
        escalate_to=terms.policy.escalate_to,
        opened_at=now,
        touched_at=now,
        clocks=start_clocks(terms.policy, terms.calendar, now),
    )
    return Change(
        case,
        history=(Happened(now, SYSTEM, "opened", {"rule": rule.id, "owner": to.owner, "reason": to.reason}),),
        notices=(Notice(now, to.owner, "assigned"), *(Notice(now, who, "fyi") for who in rule.watchers)),
    )


def revise(case: Case, revision: Revision, rule: AlertRule, *, now: datetime) -> Change:
    """The case with a newer answer. It stays open when the answer no longer meets the rule, and says so. What was
    resolved on one track stays on it."""
    if case.erased:
        return Change(case)
    at = max(now, case.touched_at)
    still = meets(rule, revision.answer)
    revised = replace(
        case,
        scores=revision.scores,
        causes=revision.causes,
        circumstances=revision.circumstances,
        meets_rule=still,
        track=rule.track or track_of(revision.scores.nps) if is_open(case) else case.track,
    )
    if (revised.scores, revised.causes, still) == (case.scores, case.causes, case.meets_rule):
        return Change(revised)
    revised = replace(revised, touched_at=at)
    text = f"The customer changed the answer: {_told(case)} → {_told(revised)}."
    if case.meets_rule and not still:
        text += f" It no longer meets the rule {case.alert_rule}; the case stays as it is."
    elif still and not case.meets_rule:
        text += f" It meets the rule {case.alert_rule} again."
    return Change(
        revised,
        history=(Happened(at, SYSTEM, "revised", {"version": revision.version, "meets_rule": still}),),
        notes=(Note(at, SYSTEM, "revision", text),),
    )


def is_routable(case: Case) -> bool:
    """True while nobody has acted on it, so that better knowledge may still move it."""
    return case.status in {"new", "assigned"} and not case.acted and not case.erased


def reroute(case: Case, to: Destination, *, oversight: str, now: datetime) -> Change:
    """The case where it belongs as known now. The unit follows always, the owner only while nobody has acted."""
    if case.erased:
        return Change(case)
    if not is_routable(case):
        return Change(replace(case, org_unit=to.org_unit) if is_open(case) else case)
    moved = replace(
        case,
        owner=to.owner,
        owner_reason=to.reason,
        org_unit=to.org_unit,
        oversight_owner=case.oversight_owner if case.oversight_named else oversight,
        status="new" if is_unit(to.owner) else "assigned",
    )
    if moved == case:
        return Change(case)
    at = max(now, case.touched_at)
    moved = replace(moved, touched_at=at)
    if moved.owner == case.owner:
        return Change(moved)
    data = {"from": case.owner, "to": to.owner, "reason": to.reason}
    return Change(
        moved,
        history=(Happened(at, SYSTEM, "rerouted", data),),
        notices=(Notice(at, to.owner, "assigned"),),
    )


def withdraw(case: Case, how: Withdrawal, *, now: datetime) -> Change:
    """Closed with the reason; nothing that was answered or written stays."""
    if case.erased:
        return Change(case)
    at = max(now, case.touched_at)
    reason = f"response {how}"
    erased = replace(
        case,
        status="closed",
        closed_reason=reason,
        closed_at=case.closed_at or at,
        erased=True,
        scores=ScoresGiven(),
        causes=(),
        documentation={},
        result=None,
        circumstances=Circumstances(survey_type=case.circumstances.survey_type),
        clocks=tuple(stand_still(clock) for clock in case.clocks),
        touched_at=at,
    )
    return Change(erased, history=(Happened(at, SYSTEM, "closed", {"reason": reason}),))


def _told(case: Case) -> str:
    scores = case.scores
    given = [("NPS", scores.nps), ("CSAT", scores.csat), ("CES", scores.ces)]
    told = [f"{name} {value}" for name, value in given if value is not None]
    return ", ".join([*told, *case.causes]) or "no score"
