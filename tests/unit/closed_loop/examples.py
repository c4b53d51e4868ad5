"""A small organisation, a rule and an answer to build cases from."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from closed_loop.domain.alerts import AlertRule, Condition
from closed_loop.domain.calendar import WEEKDAYS, calendar
from closed_loop.domain.case import Act, Case, ScoresGiven
from closed_loop.domain.follow_up import Situation, follow_up
from closed_loop.domain.lifecycle import Revision, Terms
from closed_loop.domain.routing import Circumstances, Directory, Person, Post
from closed_loop.domain.sla import SlaPolicy

MONDAY_NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = MONDAY_NINE.date()
RESPONSE = UUID("01890000-0000-7000-8000-000000000001")
OFFICE = calendar("UTC", {day: [("09:00", "17:00")] for day in WEEKDAYS[:5]}, [])
RULE = AlertRule(
    id="default",
    version=1,
    when=(Condition("nps", "<=", 6),),
    watchers=("quality-desk",),
    required_documentation=("root_cause", "outcome"),
)
TERMS = Terms(
    policy_id="default",
    policy_version=1,
    policy=SlaPolicy(
        calendar="default",
        target_minutes={"acknowledge": 240, "contact": 480, "resolve": 2400},
        warn_at=Decimal("0.75"),
    ),
    calendar_version=1,
    calendar=OFFICE,
)
SINCE = date(2026, 1, 1)
DIRECTORY = Directory(
    parents={"glass": None, "north": "glass", "supply": "glass", "empty": "north"},
    people={
        "boss": Person(),
        "bea": Person(manager="boss"),
        "m1": Person(manager="bea"),
        "m2": Person(manager="gone"),
        "gone": Person(active=False),
        "sam": Person(manager="boss"),
    },
    posts={
        "glass": (Post("boss", SINCE),),
        "north": (Post("m2", SINCE), Post("m1", SINCE), Post("a0", SINCE)),
        "supply": (Post("sam", SINCE), Post("gone", SINCE)),
    },
    accounts={"c1": "sam", "c2": "gone"},
)


def situation(*rules: AlertRule, now: datetime = MONDAY_NINE, directory: Directory = DIRECTORY) -> Situation:
    return Situation(rules=rules or (RULE,), terms={"default": TERMS}, directory=directory, now=now, zone=UTC)


def revision(
    nps: int | None = 3,
    *,
    version: int = 1,
    unit: str | None = "north",
    participants: tuple[str, ...] = ("m1",),
) -> Revision:
    return Revision(
        response_id=RESPONSE,
        version=version,
        scores=ScoresGiven(nps=nps),
        causes=("quality",),
        answer={"nps": (nps,)} if nps is not None else {},
        circumstances=Circumstances(survey_type="transactional", unit=unit, participants=participants),
    )


def opened(rule: AlertRule = RULE, nps: int = 3) -> Case:
    (change,) = follow_up(revision(nps), {}, situation(rule))
    return change.case


def act(at: datetime = MONDAY_NINE, *, superior: str = "boss") -> Act:
    return Act(at=at, by="bea", calendar=OFFICE, superior=superior)
