"""A year of jobs and answers from a seed: pure, so that the same seed gives the same year.

Every job has an answer, also of customers who never send it; `answered` are those who do. Two problems are planted:
in one month a supplier delivers wrong windows, and one branch's scheduler gives hard jobs to the same few mechanics
in slots that are too short. Neither touches how well a mechanic works: a job that goes wrong for these reasons is
answered about the window or the lead time, every other job by the mechanic's skill alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from examples.year.company import BRANCHES, MECHANICS, SCHEDULERS

INTERACTIONS = 25_000
RESPONSES = 6_000

BAD_MONTH = 7
"""Counted from 0: the supplier's month is the eighth."""
UNFAIR_BRANCH = "north"
FAVOURITES = 6
"""How many of the branch's ten mechanics are spared the hard jobs."""

WRONG_WINDOW, WRONG_WINDOW_IN_BAD_MONTH = 0.02, 0.30
TOO_TIGHT, TOO_TIGHT_WHEN_UNFAIR = 0.03, 0.40
HARD = 0.25
SUMMER = (6, 7, 8)
VOLUME = {12: 1.4, 1: 1.4, 2: 1.3, 3: 1.1, 6: 0.9, 7: 0.7, 8: 0.7}
"""Calendar month → how busy, 1 unless named: frost breaks windows, in the holidays little is driven."""
ANSWERING = {"workshop": 1.5, "at home": 0.8}
"""Channel → how readily customers answer: only what the planning system knows decides, never the score."""
AT_HOME = 0.10
"""The share of promoters lost where the weather has its say; so those who answer are happier than all."""

CAUSES = (
    ("Quality of the replacement", 0.25),
    ("Speed of the work", 0.20),
    ("Cleanliness of the car on delivery", 0.15),
    ("Information provision", 0.15),
    ("Price and financial processing", 0.15),
    ("Making an appointment", 0.10),
)
"""What the answer to a job that went as planned is about; the first three are the mechanic's."""
MECHANICS_CAUSES = frozenset(cause for cause, _ in CAUSES[:3])
FIRST_LEVEL = frozenset({"Price and financial processing", "Making an appointment"})
NAMES_A_CAUSE = {"promoter": 0.85, "passive": 0.85, "detractor": 0.95}


@dataclass(frozen=True)
class Problems:
    """Which of the planted problems a year has."""

    supplier: bool = True
    scheduler: bool = True


@dataclass(frozen=True)
class Job:
    """One job, what the planning system knows of it, and what its customer thinks. `cause` None: none named."""

    number: int
    at: datetime
    month: int
    branch: str
    mechanic: str
    channel: str
    glass: str
    hard: bool
    second_visit: bool
    score: int
    cause: str | None

    @property
    def scheduler(self) -> str:
        return SCHEDULERS[self.branch]

    @property
    def answered_at(self) -> datetime:
        return self.at + timedelta(hours=5)

    @property
    def mechanics_own(self) -> bool:
        """Whether the mechanic could influence what the answer is about."""
        return self.cause in MECHANICS_CAUSES


@dataclass(frozen=True)
class Year:
    """`months` are the first days of the twelve months and of the one after; answers are those jobs' own."""

    months: tuple[date, ...]
    jobs: tuple[Job, ...]
    answers: tuple[Job, ...]


def burdened() -> tuple[str, ...]:
    """The honest mechanics whom the unfair scheduler gives the hard jobs."""
    return MECHANICS[UNFAIR_BRANCH][FAVOURITES:]


def skill(mechanic: str) -> float:
    """The share of promoters among a mechanic's own answers; alike on average for burdened and spared."""
    return (0.52, 0.60, 0.56)[int(mechanic.rsplit("-", 1)[1]) % 3]


def generate(*, seed: int, ends: date, scale: float = 1.0, problems: Problems | None = None) -> Year:
    """The twelve months before `ends`, a first of a month; `scale` 1 is the whole size.

    With other problems the same jobs are done by the same people for the same customers, who answer as often.
    """
    months = _months(ends)
    chance = Random(f"{seed} days")
    size = round(INTERACTIONS * scale)
    days = sorted(chance.choices(*_days(months), k=size))
    planted = problems or Problems()
    jobs = tuple(_job(number, day, months, seed, planted) for number, day in enumerate(days))
    return Year(months, jobs, tuple(_answering(jobs, round(RESPONSES * scale), seed)))


def _months(ends: date) -> tuple[date, ...]:
    firsts = [ends]
    while len(firsts) < 13:
        firsts.append((firsts[-1] - timedelta(days=1)).replace(day=1))
    return tuple(reversed(firsts))


def _days(months: Sequence[date]) -> tuple[list[date], list[float]]:
    """Every working day of the year and how busy it is: Saturdays half, Sundays closed."""
    length = (months[-1] - months[0]).days
    days = [months[0] + timedelta(days=offset) for offset in range(length)]
    open_days = [day for day in days if day.weekday() < 6]
    return open_days, [VOLUME.get(day.month, 1.0) * (0.5 if day.weekday() == 5 else 1) for day in open_days]


def _job(number: int, day: date, months: Sequence[date], seed: int, problems: Problems) -> Job:
    chance = Random(f"{seed} job {number}")
    month = next(index for index in range(12) if day < months[index + 1])
    branch = chance.choice(BRANCHES)
    channel = chance.choice(tuple(ANSWERING))
    glass = chance.choices(("windscreen", "side window", "rear window"), (0.7, 0.2, 0.1))[0]
    hard = chance.random() < HARD
    mechanic = _given_to(chance, branch, hard=hard)
    at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC) + timedelta(minutes=chance.randrange(480))

    bad = problems.supplier and month == BAD_MONTH
    unfair = problems.scheduler and hard and mechanic in burdened()
    tight = TOO_TIGHT * (2 if day.month in SUMMER else 1)
    wrong_window = chance.random() < (WRONG_WINDOW_IN_BAD_MONTH if bad else WRONG_WINDOW)
    too_tight = chance.random() < (TOO_TIGHT_WHEN_UNFAIR if unfair else tight)
    about = chance.choices([cause for cause, _ in CAUSES], [weight for _, weight in CAUSES])[0]
    if wrong_window or too_tight:
        about = "Right window present" if wrong_window else "Lead time"
    trouble = wrong_window or too_tight
    promoters = 0.05 if trouble else skill(mechanic) - (AT_HOME if channel == "at home" else 0)
    score = _score(chance, promoters, trouble)
    kind = "promoter" if score >= 9 else "detractor" if score <= 6 else "passive"
    return Job(
        number=number,
        at=at,
        month=month,
        branch=branch,
        mechanic=mechanic,
        channel=channel,
        glass=glass,
        hard=hard,
        second_visit=wrong_window,
        score=score,
        cause=about if chance.random() < NAMES_A_CAUSE[kind] else None,
    )


def _given_to(chance: Random, branch: str, *, hard: bool) -> str:
    """Who does the job: hard ones of the unfair branch go to the burdened, four times out of five."""
    everybody, anybody = MECHANICS[branch], chance.random()
    if branch == UNFAIR_BRANCH and hard and anybody < 0.8:
        return chance.choice(burdened())
    return chance.choice(everybody)


def _score(chance: Random, promoters: float, trouble: bool) -> int:
    """0–10: a promoter with this probability, else mostly a detractor after trouble and mostly a passive without."""
    drawn, detractors = chance.random(), 0.8 if trouble else 0.15
    if drawn < promoters:
        return chance.choice((9, 9, 10))
    return chance.randint(0, 6) if drawn > 1 - detractors else chance.choice((7, 8))


def _answering(jobs: Sequence[Job], wanted: int, seed: int) -> list[Job]:
    """Drawn without replacement, weighted by channel (Efraimidis and Spirakis 2006): the largest u^(1/w)."""
    chance = Random(f"{seed} answers")
    keyed = [(chance.random() ** (1 / ANSWERING[job.channel]), job) for job in jobs]
    keyed.sort(key=lambda pair: pair[0], reverse=True)
    return sorted((job for _, job in keyed[:wanted]), key=lambda job: job.number)
