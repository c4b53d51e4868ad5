"""A frozen set of figures: computed from contributions and proven by a hash."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from kpi_aggregator.domain.contribution import WHOLE, Contribution, Entry, NamedCause, Participant
from kpi_aggregator.domain.coverage import FrozenCoverage
from kpi_aggregator.domain.figure import Figure, figure, weight_text
from kpi_aggregator.domain.fold import totals
from kpi_aggregator.domain.kpi import SCALES, Category, category
from kpi_aggregator.domain.marks import EVERYONE, Scope, ScopeType, View
from kpi_aggregator.domain.peers import PeerGroup, peer_group, prior_for
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.settings import KpiSettings
from kpi_aggregator.domain.sums import NOTHING, Sums
from kpi_aggregator.domain.tree import Tree

FROZEN_SCOPES: tuple[ScopeType, ...] = ("employee", "org_unit", "organisation", "cause")
VIEWS: tuple[View, ...] = ("all", "influenced")


class FrozenEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger line; `share` is a decimal string with six places."""

    subject_type: str
    subject_id: str
    role: str | None
    cause: str | None
    org_unit: str | None
    share: str
    reason: str


class FrozenContribution(msgspec.Struct, frozen=True, kw_only=True):
    """One response as it counted. Without segments they are unset, so that it reads as in earlier snapshots."""

    response_id: UUID
    version: int
    day: date
    score: int
    category: Category
    causes: tuple[NamedCause, ...]
    org_unit: str | None
    entries: tuple[FrozenEntry, ...]
    participants: tuple[Participant, ...]
    segments: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class Circumstances(msgspec.Struct, frozen=True, omit_defaults=True):
    """What figures are computed under besides the responses; frozen too, so that only responses can correct them.

    `parents` is the tree of org units, `employees` everybody known: who has no response is listed as well. `coverage`
    has whoever had invitations or interactions; where there are none it is left out, also of the hash.
    """

    settings: KpiSettings
    parents: dict[str, str | None]
    employees: tuple[str, ...]
    coverage: dict[str, FrozenCoverage] = {}


def counting(contributions: Iterable[Contribution], kpi: str, days: Days) -> list[Contribution]:
    """Those of the period that answer the KPI's question, by response id."""
    return sorted(
        (c for c in contributions if kpi in c.scores and c.day in days), key=lambda c: c.response_id
    )


def frozen(contribution: Contribution, kpi: str) -> FrozenContribution:
    """The contribution as it is shown, for one KPI that it answers."""
    score = contribution.scores[kpi]
    return FrozenContribution(
        response_id=contribution.response_id,
        version=contribution.version,
        day=contribution.day,
        score=score,
        category=category(SCALES[kpi], score),
        causes=contribution.causes,
        org_unit=contribution.interaction_unit,
        entries=tuple(
            FrozenEntry(
                subject_type=entry.subject_type,
                subject_id=entry.subject_id,
                role=entry.role,
                cause=entry.cause,
                org_unit=entry.org_unit,
                share=weight_text(entry.share),
                reason=entry.reason,
            )
            for entry in contribution.entries
        ),
        participants=contribution.participants,
        segments=contribution.segments or msgspec.UNSET,
    )


def thawed(contribution: FrozenContribution, kpi: str) -> Contribution:
    """A contribution to count again; what no frozen figure depends on (the touchpoint) is not kept."""
    return Contribution(
        response_id=contribution.response_id,
        version=contribution.version,
        day=contribution.day,
        scores={kpi: contribution.score},
        causes=contribution.causes,
        entries=tuple(
            Entry(
                subject_type=entry.subject_type,
                subject_id=entry.subject_id,
                role=entry.role,
                cause=entry.cause,
                org_unit=entry.org_unit,
                share=int(Decimal(entry.share) * WHOLE),
                reason=entry.reason,
            )
            for entry in contribution.entries
        ),
        participants=contribution.participants,
        interaction_unit=contribution.org_unit,
        segments=contribution.segments or {},
    )


def figures(
    kpi: str, days: Days, contributions: Sequence[Contribution], under: Circumstances
) -> list[Figure]:
    """A figure for every employee, org unit, cause and the organisation, in both views, ordered by scope."""
    tree = Tree(under.parents)
    sums = totals(contributions, kpi, tree)
    named: dict[ScopeType, set[str]] = {
        "employee": set(under.employees),
        "org_unit": set(under.parents),
        "organisation": {EVERYONE},
        "cause": set(),
    }
    for scope in sums:
        if scope.scope_type in named:
            named[scope.scope_type].add(scope.scope_id)
    scopes = [
        Scope(scope_type, scope_id, view)
        for scope_type in FROZEN_SCOPES
        for view in VIEWS
        for scope_id in sorted(named[scope_type])
    ]
    groups: defaultdict[PeerGroup | None, list[Sums]] = defaultdict(list)
    for scope in scopes:
        groups[peer_group(scope, tree)].append(sums.get(scope, NOTHING))
    groups[None] = []
    priors = {group: prior_for(kpi, peers, under.settings) for group, peers in groups.items()}
    return [
        figure(
            kpi,
            scope,
            days,
            sums.get(scope, NOTHING),
            prior=priors[peer_group(scope, tree)],
            min_n=under.settings.min_n,
        )
        for scope in scopes
    ]


def content_hash(
    kpi: str,
    days: Days,
    contributions: Sequence[FrozenContribution],
    shown: Sequence[Figure],
    under: Circumstances,
) -> str:
    """SHA-256 (hex) over the canonical JSON of the facts: a response's version is a name for its facts, not one."""
    facts = {
        "kpi": kpi,
        "from": days.start,
        "to": days.end,
        "under": under,
        "contributions": [replace(contribution, version=0) for contribution in contributions],
        "figures": shown,
    }
    return hashlib.sha256(msgspec.json.encode(facts, order="deterministic")).hexdigest()
