"""The conserving ledger: one response's weight of 1, shared out over people, units and the organisation.

For the k leaf causes that were named, each weighs ω = 1/k. With a[p] = how much person p can influence the cause
and A = Σ a[p], p gets ω·a[p] / max(1, A), and the cause's process owner ω·(1 − A / max(1, A)); the organisation
stands in for a missing owner. What was scored is no input.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from attribution.domain.shares import MILLION, Ratio, millionths
from attribution.domain.taxonomy import Leaf

RULE_VERSION = "attribution-1"
ORGANISATION = "all"

SubjectType = Literal["employee", "org_unit", "organisation"]
Reason = Literal[
    "influenced",
    "not_influenceable",
    "not_a_participant",
    "unverified",
    "excluded_by_dispute",
    "no_cause_given",
]
Influence = Callable[[str, str], int]
"""(role, cause) → 0…1,000,000 millionths"""


class Participant(msgspec.Struct, frozen=True):
    """Somebody who took part in one role. `org_unit` is where that work counts.

    `excluded`: an upheld "not my customer". `cause_disputed`: an upheld "not my cause".
    """

    employee: str
    role: str
    org_unit: str | None = None
    verified: bool = True
    excluded: bool = False
    cause_disputed: bool = False

    @property
    def forfeits(self) -> Reason | None:
        """Why this person's share moves to the organisation, None when they keep it."""
        if self.cause_disputed:
            return "excluded_by_dispute"
        return None if self.verified else "unverified"


class Entry(msgspec.Struct, frozen=True):
    """One line; `share` in millionths. `evidence` is the interaction's id."""

    subject_type: SubjectType
    subject_id: str
    share: int
    reason: Reason
    role: str | None = None
    cause: str | None = None
    org_unit: str | None = None
    evidence: str | None = None


def whole_to_organisation(reason: Reason, *, evidence: str | None = None) -> Entry:
    """The one line when nothing can be shared out."""
    return Entry("organisation", ORGANISATION, MILLION, reason, evidence=evidence)


def share_out(
    participants: Sequence[Participant], leaves: Sequence[Leaf], *, influence: Influence, evidence: str
) -> tuple[Entry, ...]:
    """The ledger of one matched response; entries sum to 1,000,000 and come in one order, whatever the input's.

    Shares are rounded as if everybody kept theirs; what somebody forfeits then moves to the organisation as it
    stands, so that nobody else's share changes, not by one millionth. An excluded person is not there at all.
    Every participant keeps at least one entry, with its reason.
    """
    people = sorted(participants, key=lambda p: (p.employee, p.role))
    present = [p for p in people if not p.excluded]
    if leaves:
        entries = _shared(present, leaves, influence, evidence)
    else:
        entries = [whole_to_organisation("no_cause_given", evidence=evidence)]
        entries += [_nothing(p, p.forfeits or "no_cause_given", evidence) for p in _one_per_person(present)]
    gone = _one_per_person([p for p in people if p.excluded])
    entries += [_nothing(p, "excluded_by_dispute", evidence) for p in gone]
    return tuple(sorted(entries, key=_order))


_Key = tuple[SubjectType, str, str]


def _shared(
    present: Sequence[Participant], leaves: Sequence[Leaf], influence: Influence, evidence: str
) -> list[Entry]:
    exact: dict[_Key, Ratio] = {}
    who: dict[_Key, Participant] = {}
    for leaf in leaves:
        best = _strongest_roles(present, leaf, influence)
        together = sum(a for _, a in best.values())
        under = len(leaves) * max(MILLION, together)
        for participant, a in best.values():
            key: _Key = ("employee", participant.employee, leaf.id)
            exact[key] = Ratio(a, under)
            who[key] = participant
        if together < MILLION:
            exact[(*_owner(leaf), leaf.id)] = Ratio(MILLION - together, under)
    entries: list[Entry] = []
    moved: dict[tuple[str, Reason], int] = {}
    for key, share in millionths(exact).items():
        kind, subject, cause = key
        person = who.get(key)
        if person is None:
            entries.append(Entry(kind, subject, share, "not_influenceable", cause=cause, evidence=evidence))
            continue
        reason: Reason = person.forfeits or ("influenced" if exact[key].over else "not_influenceable")
        kept = share if person.forfeits is None else 0
        if kept < share:
            moved[cause, reason] = moved.get((cause, reason), 0) + share
        entries.append(Entry(kind, subject, kept, reason, person.role, cause, person.org_unit, evidence))
    entries += [
        Entry("organisation", ORGANISATION, share, reason, cause=cause, evidence=evidence)
        for (cause, reason), share in moved.items()
    ]
    return entries


def _strongest_roles(
    present: Sequence[Participant], leaf: Leaf, influence: Influence
) -> dict[str, tuple[Participant, int]]:
    """Each person in the role that influences this cause most; the same influence: the smaller role id."""
    best: dict[str, tuple[Participant, int]] = {}
    for participant in present:
        a = influence(participant.role, leaf.id)
        if participant.employee not in best or a > best[participant.employee][1]:
            best[participant.employee] = (participant, a)
    return best


def _owner(leaf: Leaf) -> tuple[SubjectType, str]:
    return ("org_unit", leaf.process_owner) if leaf.process_owner else ("organisation", ORGANISATION)


def _one_per_person(sorted_people: Sequence[Participant]) -> list[Participant]:
    by_person: dict[str, Participant] = {}
    for participant in sorted_people:
        by_person.setdefault(participant.employee, participant)
    return list(by_person.values())


def _nothing(person: Participant, reason: Reason, evidence: str) -> Entry:
    """The entry of somebody who has no share in any cause."""
    return Entry("employee", person.employee, 0, reason, person.role, None, person.org_unit, evidence)


def _order(entry: Entry) -> tuple[str, str, str, str]:
    return (entry.subject_type, entry.subject_id, entry.cause or "", entry.reason)


def system_share(lines: Iterable[tuple[SubjectType, int]]) -> int:
    """What (subject type, share) lines leave with org units: what processes caused and people could not influence."""
    return sum(share for subject_type, share in lines if subject_type == "org_unit")
