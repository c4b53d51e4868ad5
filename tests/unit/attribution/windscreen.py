"""The windscreen company of the vectors: who influences what, who owns which cause."""

from collections.abc import Mapping, Sequence
from datetime import date

from attribution.domain.assignments import Assignment
from attribution.domain.decision import Decision, Interaction, Response, Upheld, decide
from attribution.domain.interactions import TookPart
from attribution.domain.matrix import InfluenceMatrix
from attribution.domain.rules import Rules, rules_of
from attribution.domain.taxonomy import ChosenCause, Leaf, Taxonomy, TopCause

TAXONOMY = Taxonomy(
    "windscreen",
    (
        TopCause(
            "window_replacement",
            children=(
                Leaf("quality"),
                Leaf("right_window", "supply"),
                Leaf("cleanliness"),
                Leaf("speed", "planning"),
            ),
        ),
        TopCause("appointment", "planning"),
    ),
)
MATRIX = InfluenceMatrix(
    "windscreen",
    "windscreen",
    date(2026, 1, 1),
    {
        ("mechanic", "quality"): 1_000_000,
        ("mechanic", "speed"): 500_000,
        ("scheduler", "speed"): 250_000,
    },
)
ASSIGNMENTS = (
    Assignment("a1", "m1", "mechanic", "north", date(2026, 1, 1)),
    Assignment("a2", "m2", "mechanic", "north", date(2026, 1, 1)),
    Assignment("a3", "s1", "scheduler", "planning", date(2026, 1, 1)),
)
RULES = rules_of([TAXONOMY], [MATRIX], ASSIGNMENTS)
NOBODY = Upheld()


def answer(*causes: str, customer: str | None = "c1", looks_for: str | None = "job-1") -> Response:
    """A transactional response naming these second causes."""
    return Response(
        "transactional",
        customer=customer,
        looks_for=looks_for,
        causes=tuple(ChosenCause("window_replacement", cause) for cause in causes),
    )


def job(*participants: str, unverified: Sequence[str] = ()) -> Interaction:
    """Job 1 for customer c1 with these people in their usual role."""
    roles = {"m1": "mechanic", "m2": "mechanic", "m3": "mechanic", "s1": "scheduler"}
    return Interaction(
        "job-1",
        date(2026, 3, 2),
        "c1",
        tuple(TookPart(who, roles[who], verified=who not in unverified) for who in participants),
    )


def attribute(
    response: Response, interaction: Interaction | None, *, rules: Rules = RULES, upheld: Upheld = NOBODY
) -> Decision:
    return decide(response, interaction, rules=rules, upheld=upheld)


def shares(decision: Decision) -> Mapping[str, int]:
    """Millionths per subject, those with nothing left out."""
    total: dict[str, int] = {}
    for entry in decision.entries:
        total[entry.subject_id] = total.get(entry.subject_id, 0) + entry.share
    return {subject: share for subject, share in total.items() if share}


def reasons(decision: Decision, subject: str) -> set[str]:
    return {entry.reason for entry in decision.entries if entry.subject_id == subject}
