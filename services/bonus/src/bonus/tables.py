"""Plans, periods, runs with their statements, and the directory as far as pay needs it."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bonus.domain.goal_review import Decision
from bonus.domain.lifecycle import PeriodStatus, RunStatus
from fairloop.tables import add_runtime_tables


class Base(DeclarativeBase):
    """The tables of this service's database."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
    }


class PlanVersion(Base):
    """One version of a plan. A draft is replaced in place; a published version never changes.

    It counts for periods that begin on `in_force_from` or later.
    """

    __tablename__ = "plan"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(comment="draft | published")
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    text_hash: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    published_on: Mapped[date | None]
    in_force_from: Mapped[date | None]
    findings: Mapped[list[dict[str, Any]] | None] = mapped_column(
        JSONB, comment="what the linter found when it was published, and who waived it why"
    )


class Acceptance(Base):
    """A payee agreed to this very text of the plan."""

    __tablename__ = "acceptance"

    plan: Mapped[str] = mapped_column(primary_key=True)
    text_hash: Mapped[str] = mapped_column(primary_key=True)
    employee: Mapped[str] = mapped_column(primary_key=True)
    accepted_at: Mapped[datetime]
    recorded_by: Mapped[str]


class Period(Base):
    """What is paid for: the days [date_from, date_to) of a plan."""

    __tablename__ = "period"

    id: Mapped[str] = mapped_column(primary_key=True)
    plan: Mapped[str]
    date_from: Mapped[date]
    date_to: Mapped[date]
    status: Mapped[PeriodStatus] = mapped_column(
        Text, comment="open | calculating | in_review | approved | paid"
    )


class BonusRunRow(Base):
    """One calculation. `snapshots`: KPI → {id, content_hash}; `standing` is the rest it was calculated from."""

    __tablename__ = "run"
    __table_args__ = (
        Index("run_period", "period", "id"),
        Index("run_current", "period", unique=True, postgresql_where="status <> 'superseded'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    period: Mapped[str] = mapped_column(ForeignKey("period.id"))
    date_from: Mapped[date]
    date_to: Mapped[date]
    plan: Mapped[str]
    plan_version: Mapped[int]
    status: Mapped[RunStatus] = mapped_column(Text, comment="in_review | superseded | approved | paid")
    inputs_hash: Mapped[str]
    rule_version: Mapped[str]
    snapshots: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB)
    standing: Mapped[dict[str, Any]] = mapped_column(JSONB)
    payees: Mapped[int]
    total_minor: Mapped[int]
    unspent_minor: Mapped[int]
    terms: Mapped[bytes | None] = mapped_column(
        LargeBinary, deferred=True, comment="what all its statements share, as JSON"
    )
    currency: Mapped[str]
    calculated_by: Mapped[str]
    calculated_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    paid_by: Mapped[str | None]
    paid_at: Mapped[datetime | None]


class StatementRow(Base):
    """One payout, once per run, payee and rule, and the facts that the statement is made of; never changed.

    Earlier releases wrote the statement itself (`body`) instead of amounts and facts.
    """

    __tablename__ = "statement"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id"), primary_key=True)
    employee: Mapped[str] = mapped_column(primary_key=True)
    rule_version: Mapped[str] = mapped_column(primary_key=True)
    org_units: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="where the payee worked in the period")
    payout_minor: Mapped[int | None]
    held_minor: Mapped[int | None]
    facts: Mapped[bytes | None] = mapped_column(LargeBinary, comment="JSON")
    body: Mapped[bytes | None] = mapped_column(LargeBinary, comment="JSON")


class Simulation(Base):
    """Candidate plans replayed on closed periods. A comparison to read, never a payment; never changed."""

    __tablename__ = "simulation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    periods: Mapped[list[str]] = mapped_column(ARRAY(Text))
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="the request")
    outcome: Mapped[bytes] = mapped_column(LargeBinary, comment="JSON")
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class Inquiry(Base):
    """A question or claim about a statement."""

    __tablename__ = "inquiry"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(ForeignKey("period.id"))
    employee: Mapped[str] = mapped_column(index=True)
    text: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]


class GoalReview(Base):
    """Somebody answered, by name, whether a goal is still the right one; `figures` are those it was answered with."""

    __tablename__ = "goal_review"

    plan: Mapped[str] = mapped_column(primary_key=True)
    component: Mapped[str] = mapped_column(primary_key=True)
    due_on: Mapped[date] = mapped_column(primary_key=True)
    decision: Mapped[Decision] = mapped_column(Text, comment="keep | change | drop")
    reason: Mapped[str]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)


class AnnouncedSnapshot(Base):
    """A frozen set of figures as its event announced it."""

    __tablename__ = "announced_snapshot"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    content_hash: Mapped[str]


class Unit(Base):
    """An org unit and its parent."""

    __tablename__ = "org_unit"

    org_unit: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    parent: Mapped[str | None]


class KindOfWork(Base):
    """A role, and whether those who hold it meet customers."""

    __tablename__ = "role"

    role: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    customer_facing: Mapped[bool]


class Person(Base):
    """An employee, by id."""

    __tablename__ = "employee"

    employee: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    active: Mapped[bool]
    level: Mapped[str | None]


class Posting(Base):
    """Who works where as what, in [valid_from, valid_to)."""

    __tablename__ = "assignment"
    __table_args__ = (Index("assignment_employee", "employee"),)

    assignment: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    employee: Mapped[str]
    role: Mapped[str]
    org_unit: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


add_runtime_tables(Base.metadata)
