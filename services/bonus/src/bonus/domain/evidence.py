"""Which responses count for a person, with what weight, and why the others do not."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import msgspec
from msgspec import UNSET

from bonus.domain.plan import Component, Plan, View
from bonus.domain.snapshot import Contribution, ShareEntry, Snapshot


@dataclass(frozen=True, slots=True)
class Evidence:
    """A person's responses in one view: those that count and, by response id, why the others do not."""

    counted: frozenset[str]
    excluded: Mapping[str, str]


class _NamedEntry(msgspec.Struct):
    subject_type: str
    subject_id: str


class _Named(msgspec.Struct):
    employee: str


class _WhoseContribution(msgspec.Struct):
    """As much of a contribution as says whose it is."""

    entries: tuple[_NamedEntry, ...] = ()
    participants: tuple[_Named, ...] = ()


_whose = msgspec.json.Decoder(_WhoseContribution).decode


def by_person(snapshot: Snapshot) -> dict[str, list[msgspec.Raw]]:
    """Employee → every response in which the person took part or has a line of the attribution."""
    found: dict[str, list[msgspec.Raw]] = defaultdict(list)
    for contribution in snapshot.contributions:
        named = _whose(contribution)
        whose = {participant.employee for participant in named.participants}
        whose |= {entry.subject_id for entry in named.entries if entry.subject_type == "employee"}
        for employee in whose:
            found[employee].append(contribution)
    return found


def people(contribution: Contribution) -> set[str]:
    entered = {entry.subject_id for entry in contribution.entries if entry.subject_type == "employee"}
    return entered | {participant.employee for participant in contribution.participants}


def weigh(contribution: Contribution, employee: str, view: View) -> Fraction:
    """The person's part of a response: 0 … 1 when influenced, 0 or 1 in the view of all."""
    if view == "all":
        took_part = [part for part in contribution.participants if part.employee == employee]
        counts = any(part.verified for part in took_part) and not any(part.excluded for part in took_part)
        return Fraction(counts)
    shares = (Fraction(entry.share) for entry in contribution.entries if _names(entry, employee))
    return sum(shares, Fraction(0))


def in_segments(contribution: Contribution, component: Component) -> bool:
    """Whether the component counts responses of this segment at all."""
    return component.segments is UNSET or component.segments.hold(contribution.segments)


def influenced_causes(contribution: Contribution, employee: str) -> set[str]:
    lines = (entry for entry in contribution.entries if _names(entry, employee) and entry.share > 0)
    return {entry.cause for entry in lines if entry.cause is not None}


def evidence(plan: Plan, employee: str, responses: Mapping[tuple[str, str], list[Contribution]]) -> Evidence:
    """What lies behind the person's own scores; empty in a plan without a personal component."""
    counted: set[str] = set()
    excluded: dict[str, str] = {}
    for component in sorted((c for c in plan.components if c.personal), key=lambda c: (c.kpi, c.view)):
        for contribution in responses.get((component.kpi, employee), ()):
            if not in_segments(contribution, component):
                excluded.setdefault(contribution.response_id, "outside_segment")
            elif weigh(contribution, employee, component.view) > 0:
                counted.add(contribution.response_id)
            else:
                excluded.setdefault(contribution.response_id, _why_not(contribution, employee))
    return Evidence(frozenset(counted), {id: why for id, why in excluded.items() if id not in counted})


def _names(entry: ShareEntry, employee: str) -> bool:
    return entry.subject_type == "employee" and entry.subject_id == employee


def _why_not(contribution: Contribution, employee: str) -> str:
    took_part = [p for p in contribution.participants if p.employee == employee]
    if any(p.excluded for p in took_part):
        return "excluded_by_dispute"
    stated = [entry.reason for entry in contribution.entries if _names(entry, employee)]
    if stated and stated[0] != "influenced":
        return stated[0]
    if not took_part:
        return "not_a_participant"
    return "not_influenceable" if any(p.verified for p in took_part) else "unverified"
