"""The shape at rest. Directory facts are kept by the version of their event; rules, policies and calendars in all versions."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairloop.months import by_month
from fairloop.tables import add_runtime_tables

Json = dict[str, Any]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        Json: JSONB,
        int: BigInteger,
    }


class Document:
    """What is PUT under an id; each change is a new version, and open cases keep the version they began with."""

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[Json]
    created_at: Mapped[datetime]


class AlertRuleDocument(Document, Base):
    __tablename__ = "alert_rule"


class SlaPolicyDocument(Document, Base):
    __tablename__ = "sla_policy"


class CalendarDocument(Document, Base):
    __tablename__ = "calendar"


class PlaybookDocument(Document, Base):
    """The id is the track. The newest version counts for all cases at once."""

    __tablename__ = "playbook"


class OrgUnitFact(Base):
    __tablename__ = "org_unit"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    parent: Mapped[str | None]


class EmployeeFact(Base):
    __tablename__ = "employee"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    manager: Mapped[str | None]
    active: Mapped[bool]
    calendar: Mapped[str | None]


class AssignmentFact(Base):
    __tablename__ = "assignment"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    employee: Mapped[str]
    role: Mapped[str | None] = mapped_column(comment="null: learnt before roles were kept")
    org_unit: Mapped[str] = mapped_column(index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class AccountFact(Base):
    __tablename__ = "account"

    customer: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    owner: Mapped[str]


class ResponseSeen(Base):
    """The newest version of each response's attribution that was looked at, case or no case.

    `day` it counts on, the class of its NPS and the unit of its interaction, for the share of respondents followed up;
    without a day when the response is erased.
    """

    __tablename__ = "response_seen"
    __table_args__ = (
        Index("response_seen_day", "day", postgresql_using="brin"),
        by_month("response_id"),
    )

    response_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    day: Mapped[date | None]
    track: Mapped[str | None]
    org_unit: Mapped[str | None]


class CaseRow(Base):
    """`state` is the whole case (`domain.case.Case`); the columns repeat what queries need."""

    __tablename__ = "customer_case"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    response_id: Mapped[UUID]
    alert_rule: Mapped[str]
    status: Mapped[str]
    owner: Mapped[str]
    oversight_owner: Mapped[str]
    escalated_to: Mapped[str | None]
    org_unit: Mapped[str | None]
    breached: Mapped[bool]
    routable: Mapped[bool]
    opened_at: Mapped[datetime]
    state: Mapped[Json]

    __table_args__ = (
        Index("customer_case_once", "response_id", "alert_rule", unique=True),
        Index("customer_case_opened", "opened_at", "id"),
        Index("customer_case_owner", "owner", "status"),
        Index("customer_case_routable", "id", postgresql_where=text("routable")),
    )


class CaseEventRow(Base):
    """One line of a case's history: ids, states and times, nothing anybody wrote."""

    __tablename__ = "case_event"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("customer_case.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str]
    kind: Mapped[str]
    data: Mapped[Json]


class CaseNoteRow(Base):
    """What somebody wrote. Blanked, `text` and `method`, when the response is erased."""

    __tablename__ = "case_note"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("customer_case.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str]
    method: Mapped[str | None]


class NotificationRow(Base):
    """Somebody, or a unit, is to be told: ids and times, nothing anybody wrote.

    It is about a case, or about the `subject_type` with the id `subject_id`. `read_at`: when somebody it is for saw it.
    """

    __tablename__ = "notification"
    __table_args__ = (
        Index("notification_at", "at"),
        Index("notification_recipient", "recipient", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("customer_case.id"), index=True)
    at: Mapped[datetime]
    recipient: Mapped[str]
    kind: Mapped[str]
    clock: Mapped[str | None]
    subject_type: Mapped[str] = mapped_column(server_default="case")
    subject_id: Mapped[str | None] = mapped_column(comment="of anything but a case")
    read_at: Mapped[datetime | None]


class ShiftRow(Base):
    """A unit's, a cause's or the organisation's figure that moved, as kpi-aggregator told of it once."""

    __tablename__ = "kpi_shift"
    __table_args__ = (Index("kpi_shift_window", "window_to", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kpi: Mapped[str]
    scope_type: Mapped[str]
    scope_id: Mapped[str]
    before_from: Mapped[date]
    window_from: Mapped[date]
    window_to: Mapped[date]
    value: Mapped[float]
    before: Mapped[float]
    n: Mapped[int]
    n_before: Mapped[int]
    z: Mapped[float]
    told_at: Mapped[datetime]


class SlaTimerRow(Base):
    """A deadline, or the warning before it (`<kind>.warning`), that the worker waits for."""

    __tablename__ = "sla_timer"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("customer_case.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    cycle: Mapped[int] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(comment="armed | fired | disarmed")
    calendar_version: Mapped[int]
    fired_at: Mapped[datetime | None]

    __table_args__ = (Index("sla_timer_armed", "due_at", postgresql_where=text("state = 'armed'")),)


class ActionPlanRow(Base):
    """`document` is the whole plan (`domain.action_plan.Plan`); `analytics` what was known when it was made, frozen;
    `comparison` what closing it found."""

    __tablename__ = "action_plan"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    stage: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)
    org_unit: Mapped[str] = mapped_column(index=True)
    document: Mapped[Json]
    analytics: Mapped[Json]
    comparison: Mapped[Json | None]
    made_on: Mapped[date]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PlanReminderRow(Base):
    """A day on which somebody is reminded: of a review, a task (`subject`), or the day the goal was set for."""

    __tablename__ = "plan_reminder"

    plan_id: Mapped[str] = mapped_column(ForeignKey("action_plan.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    due_on: Mapped[date] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(comment="armed | fired | disarmed")
    fired_at: Mapped[datetime | None]

    __table_args__ = (Index("plan_reminder_armed", "due_at", postgresql_where=text("state = 'armed'")),)


add_runtime_tables(Base.metadata)
