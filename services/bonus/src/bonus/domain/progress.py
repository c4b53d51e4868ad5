"""Where somebody stands on the way to a goal, in a word and in a sentence that does not hide how sure it is."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from bonus.domain.curve import Curve
from bonus.domain.money import decimal_text

Where = Literal["no_score", "below_threshold", "below_target", "below_excellence", "at_excellence"]

MEANINGS = {
    "not_influenceable": "the cause was nothing this role can influence",
    "no_cause_given": "the customer named no cause, so nobody's part is known",
    "not_a_participant": "the response is not about an interaction this person took part in",
    "unverified": "nothing proves yet that this customer is the customer of the interaction",
    "outside_segment": "the goal is about other customers than this one",
    "excluded_by_dispute": "a dispute about it was upheld",
}
"""Reason → why a response does not count, in words."""


def where(curve: Curve, score: Decimal | None) -> Where:
    if score is None:
        return "no_score"
    if score < curve.threshold:
        return "below_threshold"
    if score < curve.target:
        return "below_target"
    return "below_excellence" if score < curve.excellence else "at_excellence"


def sentence(curve: Curve, score: Decimal | None, ci95: tuple[Decimal, Decimal] | None, n: int | None) -> str:
    """The score among the points of the curve, and which of them its 95 % interval leaves open."""
    if score is None or ci95 is None:
        return (
            "No score of its own yet, or from too few answers to show it: the plan's fallback counts instead."
        )
    low, high = (decimal_text(bound) for bound in ci95)
    stands = f"{decimal_text(score)} from {n} answers lies {_between(curve, score)}"
    open_points = [name for name, point in _points(curve) if ci95[0] <= point <= ci95[1]]
    if not open_points:
        return f"{stands}; the 95 % interval, {low} to {high}, lies there too."
    return f"{stands}; the 95 % interval, {low} to {high}, still contains {_listed(open_points)}."


def uncounted(excluded: Mapping[str, str]) -> dict[str, int]:
    """How many responses do not count, by reason, the most frequent first."""
    return dict(sorted(Counter(excluded.values()).items(), key=lambda one: (-one[1], one[0])))


def _points(curve: Curve) -> tuple[tuple[str, Decimal], ...]:
    return (
        ("the threshold", curve.threshold),
        ("the target", curve.target),
        ("excellence", curve.excellence),
    )


def _between(curve: Curve, score: Decimal) -> str:
    low, goal, top = (decimal_text(point) for _, point in _points(curve))
    match where(curve, score):
        case "below_threshold":
            return f"below the threshold of {low}"
        case "below_target":
            return f"between the threshold of {low} and the target of {goal}"
        case "below_excellence":
            return f"between the target of {goal} and excellence at {top}"
        case _:
            return f"at or above excellence, {top}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
