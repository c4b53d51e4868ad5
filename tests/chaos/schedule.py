"""Which fault strikes what, when and for how long: a pure function of the seed."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fairloop.services import SERVICES

Log = Literal["kafka", "embedded"]
MAIN = tuple(f"{service} api+worker" for service in SERVICES)
SECOND = tuple(f"{service} worker" for service in SERVICES)
DATABASES = tuple(f"{service} → database" for service in SERVICES)
BROKERS = ("broker 1", "broker 2", "broker 3")
LOG_LINKS: dict[Log, tuple[str, ...]] = {
    "kafka": tuple(f"services → {broker}" for broker in BROKERS),
    "embedded": ("services → log",),
}
ALL_BROKERS = "all brokers"
POSTGRES = "PostgreSQL"


@dataclass(frozen=True)
class Fault:
    """`at` and `seconds` count from the start of the traffic; `amount` is a delay in seconds, or a number of answers."""

    at: float
    kind: str
    target: str
    seconds: float
    amount: float = 0.0

    def __str__(self) -> str:
        how_long = f"{self.seconds:5.1f} s" if self.seconds else "      –"
        match self.kind:
            case "slow":
                detail = f"{1000 * self.amount:.0f} ms each way"
            case "lose answers":
                detail = f"the next {self.amount:.0f}"
            case _:
                detail = ""
        return f"{self.at:7.1f}  {self.kind:<12} {self.target:<34} {how_long}  {detail}".rstrip()


@dataclass(frozen=True)
class Kind:
    """A sort of fault: what it may strike, for how long, and how often compared with the others."""

    name: str
    targets: tuple[str, ...]
    shortest: float
    longest: float
    often: int


def kinds(log: Log) -> list[Kind]:
    links = LOG_LINKS[log]
    shared = [
        Kind("kill -9", (*MAIN, *SECOND), 0, 0, 6),
        Kind("stop", (*MAIN, *SECOND), 5, 40, 4),
        Kind("restart", tuple(SERVICES), 0, 0, 2),
        Kind("crash", (POSTGRES,), 0.5, 8, 2),
        Kind("cut", (*DATABASES, *links), 0.2, 8, 4),
        Kind("slow", (*DATABASES, *links), 5, 20, 2),
        Kind("hold", (*DATABASES, *links), 2, 12, 3),
        Kind("half-close", (*DATABASES, *links), 0, 0, 2),
        Kind("lose answers", (*DATABASES, *links), 10, 10, 3),
    ]
    if log == "kafka":
        return [
            *shared,
            Kind("crash", BROKERS, 3, 20, 3),
            Kind("crash", (ALL_BROKERS,), 3, 30, 1),
        ]
    return [*shared, Kind("cut", links, 10, 30, 1)]


def schedule(seed: int, *, seconds: float, log: Log) -> list[Fault]:
    """Every kind once in random order, then by their frequency, some seconds apart, until the time is over.

    What is struck is left alone until it has recovered; a broker is not struck while all are.
    """
    chance = random.Random(f"faults {seed}")
    every = kinds(log)
    first = chance.sample(every, len(every))
    busy: defaultdict[str, float] = defaultdict(float)
    faults: list[Fault] = []
    at = chance.uniform(2, 4)
    while at < seconds - 3:
        kind = first.pop() if first else chance.choices(every, [kind.often for kind in every])[0]
        free = [target for target in kind.targets if all(busy[one] <= at for one in struck(target))]
        if free:
            target = chance.choice(free)
            lasts = round(min(chance.uniform(kind.shortest, kind.longest), seconds - at), 1)
            faults.append(Fault(round(at, 1), kind.name, target, lasts, _amount(kind, chance)))
            for one in struck(target):
                busy[one] = at + lasts + 3
        at += chance.uniform(1, 5)
    return faults


def _amount(kind: Kind, chance: random.Random) -> float:
    match kind.name:
        case "slow":
            return round(chance.uniform(0.02, 0.3), 3)
        case "lose answers":
            return chance.randint(1, 10)
        case _:
            return 0


def struck(target: str) -> tuple[str, ...]:
    """Everything that a fault of this target keeps from being struck too."""
    if target == ALL_BROKERS:
        return (ALL_BROKERS, *BROKERS)
    if target in BROKERS:
        return (ALL_BROKERS, *BROKERS)
    if target in SERVICES:
        return (target, f"{target} api+worker", f"{target} worker")
    return (target,)


def table(faults: Iterable[Fault]) -> str:
    return "\n".join(
        ["second   fault        target                              duration", *map(str, faults)]
    )
