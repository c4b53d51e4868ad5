"""What must be true in the end, counted from the commands alone: plain Python that knows nothing of the services.

The formulas' source is docs/concepts.md: shares of a response, whose figures it counts in, who follows it up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

MILLION = 1_000_000
INFLUENCE = {
    ("mechanic", "quality"): Fraction(1),
    ("mechanic", "speed"): Fraction(1, 2),
    ("scheduler", "speed"): Fraction(1, 4),
}
OWNERS = {"right_window": "supply", "speed": "planning"}
ROLES = {"m1": "mechanic", "m2": "mechanic", "s1": "scheduler", "boss": "branch_manager"}
JOB_UNIT = "north"
ORGANISATION = ("organisation", "all")

Subject = tuple[str, str]
Scope = tuple[str, str, str]
"""(kind, id, view)"""


class Answer(NamedTuple):
    """What a customer answered, as one delivery says it."""

    score: int
    causes: tuple[str, ...]
    job: str | None


@dataclass(frozen=True)
class Response:
    """One response. `minute` is the platform's clock of the answer shown; `older` are the answers not shown."""

    customer: str
    shown: Answer
    minute: int
    older: frozenset[tuple[int, Answer]] = frozenset()
    retracted: str | None = None  # erased | deleted
    decided_job: tuple[str | None] | None = None
    not_my_customer: frozenset[str] = frozenset()
    not_my_cause: frozenset[str] = frozenset()
    was_detractor: bool = False

    @property
    def job(self) -> str | None:
        """The job it belongs to: the one somebody decided on, else the one it names."""
        return self.shown.job if self.decided_job is None else self.decided_job[0]


@dataclass(frozen=True)
class Job:
    """`by`: employee → whether the source is sure of them."""

    customer: str
    by: dict[str, bool]


class Figure(NamedTuple):
    """Whole responses, and their weights in millionths."""

    n: int = 0
    promoters: int = 0
    detractors: int = 0
    weight: int = 0
    weight_promoters: int = 0
    weight_detractors: int = 0

    def plus(self, score: int, weight: int) -> "Figure":
        promoter, detractor = score >= 9, score <= 6
        return Figure(
            self.n + 1,
            self.promoters + promoter,
            self.detractors + detractor,
            self.weight + weight,
            self.weight_promoters + weight * promoter,
            self.weight_detractors + weight * detractor,
        )

    @property
    def value(self) -> float:
        """The NPS as shown: one decimal, half-even."""
        return (
            float(round(Fraction(100 * (self.weight_promoters - self.weight_detractors), self.weight), 1))
            + 0.0
        )


@dataclass
class Told:
    """Everything that was commanded and not refused."""

    responses: dict[str, Response] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    jobs: dict[str, Job] = field(default_factory=dict)
    unit_of: dict[str, str] = field(
        default_factory=lambda: {"boss": "north", "m1": "north", "m2": "north", "s1": "planning"}
    )
    parents: dict[str, str | None] = field(
        default_factory=lambda: {
            "company": None,
            **dict.fromkeys(("north", "south", "supply", "planning"), "company"),
        }
    )
    manager: dict[str, str | None] = field(default_factory=dict)

    def answered(self, name: str, customer: str, answer: Answer, minute: int) -> str:
        """A delivery comes in; answers what has to be said to it: accepted, duplicate or ignored."""
        held = self.responses.get(name)
        if customer in self.erased or (held is not None and held.retracted):
            return "ignored"
        if held is None:
            self.responses[name] = Response(customer, answer, minute, was_detractor=answer.score <= 6)
            return "accepted"
        if answer == held.shown:
            self.responses[name] = replace(held, minute=max(minute, held.minute))
            return "duplicate"
        if minute < held.minute:
            late = (minute, answer)
            self.responses[name] = replace(held, older=held.older | {late})
            return "duplicate" if late in held.older else "accepted"
        self.responses[name] = replace(
            held,
            shown=answer,
            minute=minute,
            older=held.older | {(held.minute, held.shown)},
            was_detractor=held.was_detractor or answer.score <= 6,
        )
        return "accepted"

    def deleted(self, name: str) -> None:
        held = self.responses[name]
        self.responses[name] = replace(held, retracted=held.retracted or "deleted")

    def forgotten(self, customer: str) -> None:
        self.erased.add(customer)
        for name, held in self.responses.items():
            if held.customer == customer:
                self.responses[name] = replace(held, retracted="erased")

    def upheld(self, name: str, employee: str, kind: str, corrected_job: str | None) -> None:
        held = self.responses[name]
        match kind:
            case "not_my_customer":
                held = replace(held, not_my_customer=held.not_my_customer | {employee})
            case "not_my_cause":
                held = replace(held, not_my_cause=held.not_my_cause | {employee})
            case _:
                held = replace(held, decided_job=(corrected_job,))
        self.responses[name] = held

    def job_of(self, response: Response) -> Job | None:
        return self.jobs.get(response.job or "")


def status(told: Told, response: Response) -> str:
    """Where the attribution of a response stands."""
    if response.retracted:
        return "erased"
    if told.job_of(response) is None:
        return "unmatched" if response.job is None else "pending"
    return "matched"


def shares(told: Told, response: Response) -> Counter[tuple[str, str, str]]:
    """(kind, id, cause) → millionths, 1,000,000 in all; nothing when retracted. `cause` "": none."""
    job = told.job_of(response)
    if response.retracted:
        return Counter()
    if job is None or not response.shown.causes:
        return Counter({(*ORGANISATION, ""): MILLION})
    exact: dict[tuple[str, str, str], Fraction] = {}
    part = Fraction(1, len(response.shown.causes))
    for cause in response.shown.causes:
        present = [who for who in job.by if who not in response.not_my_customer]
        influence = {who: INFLUENCE.get((ROLES[who], cause), Fraction(0)) for who in present}
        together = sum(influence.values(), Fraction(0))
        for who in present:
            exact["employee", who, cause] = part * influence[who] / max(Fraction(1), together)
        if together < 1:
            owner = ("org_unit", OWNERS[cause]) if cause in OWNERS else ORGANISATION
            exact[*owner, cause] = part * (1 - together)
    rounded = {key: int(share * MILLION) for key, share in exact.items()}
    by_remainder = sorted(exact, key=lambda key: (rounded[key] - exact[key] * MILLION, key))
    for key in by_remainder[: MILLION - sum(rounded.values())]:
        rounded[key] += 1
    ledger: Counter[tuple[str, str, str]] = Counter()
    for (kind, id, cause), share in rounded.items():
        forfeited = kind == "employee" and (
            id in response.not_my_cause or not (job.by[id] and job.customer == response.customer)
        )
        ledger[(*ORGANISATION, cause) if forfeited else (kind, id, cause)] += share
    return +ledger


def figures(told: Told) -> dict[Scope, Figure]:
    """Every figure with at least one response."""
    found: defaultdict[Scope, Figure] = defaultdict(Figure)
    for response in told.responses.values():
        if not response.retracted:
            for scope, weight in _counts_in(told, response):
                found[scope] = found[scope].plus(response.shown.score, weight)
    return dict(found)


def _counts_in(told: Told, response: Response) -> Iterator[tuple[Scope, int]]:
    ledger, job = shares(told, response), told.job_of(response)
    yield (*ORGANISATION, "all"), MILLION
    yield (*ORGANISATION, "influenced"), MILLION
    touched = set() if job is None else {JOB_UNIT}
    if job is not None and job.customer == response.customer:
        took_part = {who for who, sure in job.by.items() if sure} - response.not_my_customer
        touched |= {told.unit_of[who] for who in took_part}
        yield from ((("employee", who, "all"), MILLION) for who in took_part)
    touched |= {id for kind, id, _ in ledger if kind == "org_unit"}
    yield from ((("org_unit", unit, "all"), MILLION) for unit in _upwards(told, touched))
    weights: Counter[Scope] = Counter()
    for (kind, id, _), share in ledger.items():
        if kind == "employee":
            weights["employee", id, "influenced"] += share
        if kind != "organisation":
            unit = told.unit_of[id] if kind == "employee" else id
            for above in _upwards(told, {unit}):
                weights["org_unit", above, "influenced"] += share
    yield from weights.items()


def _upwards(told: Told, units: set[str]) -> set[str]:
    """These units and all above them."""
    found: set[str] = set()
    for unit in units:
        above: str | None = unit
        while above is not None:
            found.add(above)
            above = told.parents[above]
    return found


def owner(told: Told, response: Response) -> str:
    """Who a case about this response belongs to, while nobody has acted on it."""
    by_subject: Counter[Subject] = Counter()
    for (kind, id, _), share in shares(told, response).items():
        by_subject[kind, id] += share
    (first, most), *others = by_subject.most_common()
    solves = first[1] if first[0] == "org_unit" and all(share < most for _, share in others) else None
    job = told.job_of(response)
    if solves is None and job is not None:
        present = job.by.keys() - response.not_my_customer
        for who in sorted(present, key=lambda who: (-by_subject["employee", who], who)):
            if (manager := told.manager.get(who)) is not None:
                return manager
    unit: str | None = solves or (JOB_UNIT if job is not None else "company")
    asked = unit
    while unit is not None:
        staff = sorted(who for who, where in told.unit_of.items() if where == unit)
        if staff:
            return staff[0]
        unit = told.parents[unit]
    return f"org_unit:{asked}"
