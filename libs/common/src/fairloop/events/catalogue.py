"""Every topic with its one producer, its fixed number of partitions, the event types it carries, and who reads it."""

from dataclasses import dataclass

from fairloop.events.attribution import AttributionResult, Interaction
from fairloop.events.bonus import BonusRun
from fairloop.events.closed_loop import ClosedLoopCase
from fairloop.events.directory import Account, Assignment, Employee, OrgUnit, Role
from fairloop.events.kpi import KpiShift, KpiSnapshot
from fairloop.events.model import EventData
from fairloop.events.survey import Invitation, SurveyResponse


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; the partition count never changes in place (more partitions = a new topic version)."""

    name: str
    producer: str
    partitions: int
    types: tuple[type[EventData], ...]
    consumers: tuple[str, ...] = ()
    """Our services that handle any of its types. Others may read it too, with leave of whoever runs the log."""


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("survey.response.v1", "survey-intake", 4, (SurveyResponse,), ("attribution",)),
        Topic("survey.invitation.v1", "survey-intake", 4, (Invitation,), ("kpi-aggregator",)),
        Topic(
            "directory.v1",
            "attribution",
            1,
            (OrgUnit, Role, Employee, Assignment, Account),
            ("kpi-aggregator", "closed-loop", "bonus"),
        ),
        Topic("attribution.interaction.v1", "attribution", 4, (Interaction,), ("kpi-aggregator",)),
        Topic(
            "attribution.result.v1", "attribution", 4, (AttributionResult,), ("kpi-aggregator", "closed-loop")
        ),
        Topic("kpi.snapshot.v1", "kpi-aggregator", 1, (KpiSnapshot,), ("bonus",)),
        Topic("kpi.shift.v1", "kpi-aggregator", 1, (KpiShift,), ("closed-loop",)),
        Topic("closedloop.case.v1", "closed-loop", 2, (ClosedLoopCase,)),
        Topic("bonus.run.v1", "bonus", 1, (BonusRun,)),
    )
}

EVENT_TYPES: dict[str, type[EventData]] = {
    event_type.type: event_type for topic in TOPICS.values() for event_type in topic.types
}


def topics_of(types: "set[type[EventData]]") -> list[Topic]:
    """The topics that carry any of these event types, by name."""
    return [TOPICS[name] for name in sorted({event_type.topic for event_type in types})]


def consumed_by(service: str) -> list[Topic]:
    """The topics that one service reads."""
    return [topic for topic in TOPICS.values() if service in topic.consumers]


def produced_by(service: str) -> list[Topic]:
    """The topics that one service produces."""
    return [topic for topic in TOPICS.values() if topic.producer == service]
