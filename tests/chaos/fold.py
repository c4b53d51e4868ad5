"""What must have become of everything: counted here once more, from the journal and the published rules alone.

Nothing of the services is used. The rules: attribution ledger and figures of docs/concepts.md; a newer revision
replaces an older one; erased and deleted answers are gone; upheld disputes change the ledger.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from tests.chaos.company import INFLUENCE, OWNERS, PEOPLE, RELATIONSHIP, TOP

MILLION = 1_000_000
Subject = tuple[str, str]
"""(subject type, subject id)"""


@dataclass
class Response:
    """One answer as it stands after its journal lines."""

    story: int
    survey: str
    id: str = ""
    revision: int = -1
    score: int = 0
    cause: str = ""
    accepted: set[tuple[int, int, str]] = field(default_factory=set)
    """(revision, score, cause) of everything that was taken in."""
    retracted: str | None = None
    interaction: Mapping[str, Any] | None = None
    upheld: set[tuple[str, str]] = field(default_factory=set)
    """(employee, kind)"""
    verb: str | None = None

    @property
    def ever_scores(self) -> set[int]:
        """Of the revisions that were the newest when they came."""
        return {score for revision, score, _ in self.accepted if revision % 2 == 0}


@dataclass
class Job:
    """What a story's customer was asked about. `invited`: could be asked, `sent`: was; taken back when forgotten."""

    people: frozenset[str] = frozenset()
    own_customer: bool = False
    invited: bool = False
    sent: bool = False


def jobs_of(journal: Iterable[Mapping[str, Any]]) -> list[Job]:
    """Of every story that has an interaction, as it stands at the end."""
    found: defaultdict[int, Job] = defaultdict(Job)
    for line in journal:
        if line["do"] == "interaction":
            job = found[line["story"]]
            job.people = frozenset(one["employee"] for one in line["participants"] if one["verified"])
            if line["invited"] != "ignored":
                job.own_customer, job.invited, job.sent = line["same_customer"], True, line["sent"]
        elif line["do"] == "erase" and line["story"] in found and found[line["story"]].own_customer:
            found[line["story"]].invited = False
    return list(found.values())


def responses_of(journal: Iterable[Mapping[str, Any]]) -> dict[int, Response]:
    """By story, of those with an answer."""
    found: dict[int, Response] = {}
    for line in journal:
        if "story" in line:
            response = found.setdefault(line["story"], Response(line["story"], line["survey"]))
            _take(response, line)
    return {story: response for story, response in found.items() if response.id}


def _take(response: Response, line: Mapping[str, Any]) -> None:
    match line["do"]:
        case "answer":
            response.id = line["response_id"] or response.id
            if set(line["outcomes"]) != {"ignored"}:
                response.accepted.add((line["revision"], line["score"], line["cause"]))
                if line["revision"] >= response.revision:
                    response.revision = line["revision"]
                    response.score, response.cause = line["score"], line["cause"]
        case "interaction":
            response.interaction = line
        case "dispute" if line["uphold"]:
            response.upheld.add((line["employee"], line["kind"]))
        case "work":
            response.verb = line["verb"]
        case "erase" | "delete":
            response.retracted = response.retracted or line["do"]


def status_of(response: Response) -> str:
    if response.retracted:
        return "erased"
    if response.survey == RELATIONSHIP:
        return "relationship"
    return "matched" if response.interaction else "unmatched"


@dataclass(frozen=True)
class Person:
    """Somebody who took part. `present`: no upheld "not my customer"."""

    id: str
    verified: bool
    present: bool
    keeps: bool


def people_of(response: Response) -> list[Person]:
    if status_of(response) != "matched":
        return []
    assert response.interaction is not None
    return [
        Person(
            id=one["employee"],
            verified=verified,
            present=(one["employee"], "not_my_customer") not in response.upheld,
            keeps=verified and (one["employee"], "not_my_cause") not in response.upheld,
        )
        for one in response.interaction["participants"]
        for verified in [one["verified"] and response.interaction["same_customer"]]
    ]


def ledger_of(response: Response) -> dict[Subject, int]:
    """Shares in millionths of those who have one; they sum to a million unless the answer is gone."""
    organisation: Subject = ("organisation", "all")
    if response.retracted:
        return {}
    if status_of(response) != "matched" or not response.cause:
        return {organisation: MILLION}
    present = {person.id: person for person in people_of(response) if person.present}
    influence = {
        person: Fraction(INFLUENCE.get((PEOPLE[person][0], response.cause), "0")) for person in present
    }
    together = sum(influence.values(), Fraction(0))
    under = together if together > 1 else Fraction(1)
    exact: dict[Subject, Fraction] = {("employee", person): a / under for person, a in influence.items()}
    owner = OWNERS[response.cause]
    rest: Subject = ("org_unit", owner) if owner else organisation
    exact[rest] = 1 - together / under
    ledger: defaultdict[Subject, int] = defaultdict(int)
    for subject, share in _millionths(exact).items():
        keeps = subject[0] != "employee" or present[subject[1]].keeps
        ledger[subject if keeps else organisation] += share
    return {subject: share for subject, share in ledger.items() if share}


def _millionths(exact: Mapping[Subject, Fraction]) -> dict[Subject, int]:
    """Largest remainder; ties to the smaller subject. One cause only, so the cause breaks no tie."""
    whole = {subject: int(share * MILLION) for subject, share in exact.items()}
    by_remainder = sorted(exact, key=lambda subject: (-(exact[subject] * MILLION % 1), subject))
    for subject in by_remainder[: MILLION - sum(whole.values())]:
        whole[subject] += 1
    return whole


Scope = tuple[str, str, str]
"""(scope type, id, view)"""


@dataclass
class Figure:
    """Sums of one scope. Weights in millionths; the classes are promoters, passives, detractors."""

    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    weights: list[int] = field(default_factory=lambda: [0, 0, 0])

    def add(self, score: int, weight: int) -> None:
        place = 0 if score >= 9 else 1 if score >= 7 else 2
        self.counts[place] += 1
        self.weights[place] += weight

    @property
    def value(self) -> float | None:
        """NPS in points, one decimal, half to even."""
        total = sum(self.weights)
        if not total:
            return None
        exact = Decimal(100 * (self.weights[0] - self.weights[2])) / Decimal(total)
        return float(exact.quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)) + 0.0


def figures_of(responses: Iterable[Response]) -> dict[Scope, Figure]:
    """Every scope somebody counts in."""
    figures: defaultdict[Scope, Figure] = defaultdict(Figure)
    for response in responses:
        if not response.retracted:
            for scope, weight in _weights(response).items():
                figures[scope].add(response.score, weight)
    return dict(figures)


def _weights(response: Response) -> dict[Scope, int]:
    weights: defaultdict[Scope, int] = defaultdict(int)
    for view in ("all", "influenced"):
        weights["organisation", "all", view] = MILLION
    units: set[str] = set()
    if status_of(response) == "matched":
        assert response.interaction is not None
        units.add(response.interaction["unit"])
    for person in people_of(response):
        if person.present and person.verified:
            weights["employee", person.id, "all"] = MILLION
            units.add(PEOPLE[person.id][1])
    for (kind, id), share in ledger_of(response).items():
        if kind == "organisation":
            continue
        unit = id if kind == "org_unit" else PEOPLE[id][1]
        if kind == "org_unit":
            units.add(unit)
        else:
            weights["employee", id, "influenced"] += share
        for above in (unit, TOP):
            weights["org_unit", above, "influenced"] += share
    for unit in units:
        for above in (unit, TOP):
            weights["org_unit", above, "all"] = MILLION
    return weights
