"""What the samples say: slopes, maxima, and whether anything grows without bound."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.soak.samples import Sample

from fairloop.services import SERVICES

WARM_UP = 0.2
"""This part of the samples is left out of every slope."""
MEMORY_KIB = 16 * 1024
"""A service that grows, by its slope, by more than this and by more than a tenth over what was measured, leaks."""
MORE_FILES = 20
MORE_CONNECTIONS = 4


@dataclass(frozen=True)
class Line:
    """KiB, and KiB a minute, of one process."""

    process: str
    first: int
    last: int
    most: int
    slope: float
    files: int


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares: by how much y grows when x grows by 1."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    over = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / over if over else 0.0


def measured(samples: Sequence[Sample]) -> Sequence[Sample]:
    return samples[int(len(samples) * WARM_UP) :]


def lines(samples: Sequence[Sample]) -> list[Line]:
    kept = measured(samples)
    return [
        Line(
            process=name,
            first=kept[0].memory[name],
            last=kept[-1].memory[name],
            most=max(sample.memory[name] for sample in kept),
            slope=slope([(sample.at / 60, sample.memory[name]) for sample in kept]),
            files=max(sample.files[name] for sample in kept),
        )
        for name in kept[0].memory
    ]


def grows(samples: Sequence[Sample]) -> list[str]:
    """What grows without bound; nothing when all is well. The brokers and the database are not ours to judge."""
    kept = measured(samples)
    minutes = (kept[-1].at - kept[0].at) / 60
    middle = len(kept) // 2
    early, late = kept[:middle], kept[middle:]
    wrong = [
        f"{line.process} grows by {line.slope:.0f} KiB a minute"
        for line in lines(samples)
        if line.process in SERVICES and line.slope * minutes > max(MEMORY_KIB, line.first / 10)
    ]
    for name in SERVICES:
        before, after = (max(sample.files[name] for sample in part) for part in (early, late))
        if after > before + MORE_FILES:
            wrong.append(f"{name} has {after} files open, {before} before")
    for name in {name for sample in kept for name in sample.connections}:
        before, after = (max(sample.connections.get(name, 0) for sample in part) for part in (early, late))
        if after > before + MORE_CONNECTIONS:
            wrong.append(f"{after} connections of {name}, {before} before")
    return wrong
