"""The contracts between services: event types and the catalogue of topics."""

from fairloop.events.attribution import (
    AttributionResult,
    Entry,
    Interaction,
    InteractionFacts,
    Participant,
    TookPart,
)
from fairloop.events.bonus import BonusRun
from fairloop.events.catalogue import EVENT_TYPES, TOPICS, Topic, consumed_by, produced_by, topics_of
from fairloop.events.closed_loop import CaseClock, ClosedLoopCase
from fairloop.events.directory import Account, Assignment, Employee, OrgUnit, Role
from fairloop.events.kpi import KpiShift, KpiSnapshot
from fairloop.events.model import EventData
from fairloop.events.survey import Cause, ContactTrouble, Invitation, ResponseFacts, Scores, SurveyResponse

__all__ = [
    "EVENT_TYPES",
    "TOPICS",
    "Account",
    "Assignment",
    "AttributionResult",
    "BonusRun",
    "CaseClock",
    "Cause",
    "ClosedLoopCase",
    "ContactTrouble",
    "Employee",
    "Entry",
    "EventData",
    "Interaction",
    "InteractionFacts",
    "Invitation",
    "KpiShift",
    "KpiSnapshot",
    "OrgUnit",
    "Participant",
    "ResponseFacts",
    "Role",
    "Scores",
    "SurveyResponse",
    "TookPart",
    "Topic",
    "consumed_by",
    "produced_by",
    "topics_of",
]
