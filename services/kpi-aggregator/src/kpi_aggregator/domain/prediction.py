"""What customers who did not answer would probably have said, how far that can be relied on, and when not at all.

Always about an interaction and the whole base, never a claim about a person: who took part is no input, and what
comes out is in no figure anybody is paid on.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

CLASSES = ("promoter", "passive", "detractor")
LEAST_ANSWERS = 200
LEAST_OF_EACH = 20
"""Answers of each class: with fewer, ten parts of them say nothing."""
BINS = 5
ASSUMPTION = "Customers who did not answer are taken to think like those who did about interactions with the same attributes."

Shares = tuple[float, float, float]
"""Probabilities of promoter, passive, detractor, in the order of CLASSES; they sum to 1."""
Scalar = str | int | float | bool | None


class Seen(msgspec.Struct, frozen=True):
    """One interaction as far as a prediction may know it, with the class of its answer if there is one."""

    id: str
    features: Mapping[str, Scalar]
    answered: int | None = None  # index into CLASSES


class Calibration(msgspec.Struct, frozen=True):
    """Answers of similar prediction: what was predicted on average, what came."""

    answer: str
    n: int
    predicted: float
    observed: float


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """How good the predictions are, on answers that the model had not seen.

    Brier: mean of Σ(p − y)² over the three classes, 0 perfect, 2 worst. Skill: 1 − Brier/Brier of the base rate,
    with the 95 % interval of the paired differences.
    """

    answers: int
    brier: float
    brier_base_rate: float
    skill: float
    skill_ci95: tuple[float, float]
    calibration: tuple[Calibration, ...]


class WholeBase(msgspec.Struct, frozen=True, kw_only=True):
    """NPS in points over every interaction: answers as given, the others as predicted."""

    interactions: int
    answered: int
    nps: float
    ci95: tuple[float, float]
    nps_of_answers: float
    assumption: str = ASSUMPTION


def reliability(predicted: Sequence[Shares], came: Sequence[int]) -> Reliability:
    """Of predictions made out of fold and the classes that came, one each."""
    n = len(came)
    base = tuple(sum(one == index for one in came) / n for index in range(3))
    losses = [_loss(shares, one) for shares, one in zip(predicted, came, strict=True)]
    base_losses = [_loss(base, one) for one in came]
    brier, reference = sum(losses) / n, sum(base_losses) / n
    gains = [was - now for was, now in zip(base_losses, losses, strict=True)]
    mean = sum(gains) / n
    half = 1.96 * math.sqrt(sum((gain - mean) ** 2 for gain in gains) / (n - 1) / n)
    return Reliability(
        answers=n,
        brier=round(brier, 6),
        brier_base_rate=round(reference, 6),
        skill=round(mean / reference, 6),
        skill_ci95=(round((mean - half) / reference, 6), round((mean + half) / reference, 6)),
        calibration=tuple(
            row for index in (0, 2) for row in _calibration(index, [s[index] for s in predicted], came)
        ),
    )


def _loss(shares: Sequence[float], came: int) -> float:
    return sum((share - (index == came)) ** 2 for index, share in enumerate(shares))


def _calibration(index: int, predicted: Sequence[float], came: Sequence[int]) -> list[Calibration]:
    """Fifths of the answers by their prediction, the lowest first."""
    ordered = sorted(zip(predicted, came, strict=True), key=lambda pair: pair[0])
    n, rows = len(ordered), []
    for bin_ in range(BINS):
        part = ordered[bin_ * n // BINS : (bin_ + 1) * n // BINS]
        rows.append(
            Calibration(
                CLASSES[index],
                len(part),
                round(sum(share for share, _ in part) / len(part), 4),
                round(sum(one == index for _, one in part) / len(part), 4),
            )
        )
    return rows


def too_few(classes: Sequence[int]) -> str | None:
    """Why nothing can be learnt from these answers; None when it can."""
    if len(classes) < LEAST_ANSWERS:
        return f"{len(classes)} interactions of these days were answered; {LEAST_ANSWERS} are needed."
    for index, name in enumerate(CLASSES):
        count = sum(one == index for one in classes)
        if count < LEAST_OF_EACH:
            return f"{count} of the answers are of a {name}; {LEAST_OF_EACH} are needed."
    return None


def no_better(found: Reliability) -> str | None:
    """Why the predictions are withheld: what is known of the interactions tells nothing beyond the base rate."""
    low, high = found.skill_ci95
    if low > 0:
        return None
    return (
        f"No better than the base rate: skill {found.skill:.3f} ({low:.3f} to {high:.3f}), "
        "and the interval must lie above 0."
    )


def whole_base(came: Sequence[int], predicted: Sequence[Shares], by_part: Sequence[float]) -> WholeBase:
    """Of the classes that came and the predictions for the rest.

    `by_part`: the mean of p − d over the rest as each of the k models predicts it that was fitted without one part of
    the answers. Error: of the model by the jackknife over these groups, (k−1)/k·Σ(mᵢ − m̄)², and of the unknown
    answers themselves, Σ(p + d − (p − d)²), both over the whole base.
    """
    answered, rest = len(came), len(predicted)
    total = answered + rest
    balance = sum(1 - one for one in came)
    expected = [p - d for p, _, d in predicted]
    noise = sum(p + d - (p - d) ** 2 for p, _, d in predicted)
    k, middle = len(by_part), sum(by_part) / len(by_part)
    model = (k - 1) / k * sum((one - middle) ** 2 for one in by_part)
    m = (balance + sum(expected)) / total
    half = 1.96 * math.sqrt(noise + rest * rest * model) / total
    return WholeBase(
        interactions=total,
        answered=answered,
        nps=_points(m),
        ci95=(_points(max(-1.0, m - half)), _points(min(1.0, m + half))),
        nps_of_answers=_points(balance / answered),
    )


def _points(m: float) -> float:
    return round(100 * m, 1) + 0.0


def usable(
    interactions: Mapping[str, tuple[date, str, str, Mapping[str, Scalar]]], people: frozenset[str]
) -> dict[str, dict[str, Scalar]]:
    """Interaction → features: its unit, touchpoint, weekday and month, and its attributes.

    Interactions are (day, org unit, touchpoint, attributes). An attribute that ever names an employee is left out
    altogether: a prediction is about a job, not about who did it.
    """
    naming = {
        name
        for _, _, _, attributes in interactions.values()
        for name, value in attributes.items()
        if isinstance(value, str) and value in people
    }
    return {
        id: {
            "org_unit": unit,
            "touchpoint": touchpoint,
            "weekday": day.strftime("%a"),
            "month": f"{day:%Y-%m}",
            **{f"attribute:{name}": value for name, value in attributes.items() if name not in naming},
        }
        for id, (day, unit, touchpoint, attributes) in interactions.items()
    }
