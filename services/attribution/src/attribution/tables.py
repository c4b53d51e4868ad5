"""The shape at rest. Directory rows know the event that tells the others about them."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Computed, DateTime, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from attribution.domain.disputes import Kind, State
from fairloop.events import Account, Assignment, Employee, EventData, OrgUnit, Role
from fairloop.months import by_month
from fairloop.tables import add_runtime_tables


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class DirectoryRow(Base):
    """A row that others hold a copy of; `version` counts the states that were published."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)

    def content(self) -> dict[str, Any]:
        """What was put: every column but the version."""
        return {c.key: getattr(self, c.key) for c in self.__mapper__.columns if c.key != "version"}

    def event(self) -> EventData:
        """The published part: ids only, no names or e-mails of people."""
        raise NotImplementedError


class OrgUnitRow(DirectoryRow):
    __tablename__ = "org_unit"

    name: Mapped[str]
    parent: Mapped[str | None]

    def event(self) -> OrgUnit:
        return OrgUnit(version=self.version, org_unit=self.id, name=self.name, parent=self.parent)


class RoleRow(DirectoryRow):
    __tablename__ = "role"

    name: Mapped[str]
    customer_facing: Mapped[bool]

    def event(self) -> Role:
        return Role(version=self.version, role=self.id, name=self.name, customer_facing=self.customer_facing)


class EmployeeRow(DirectoryRow):
    __tablename__ = "employee"

    name: Mapped[str]
    email: Mapped[str | None]
    manager: Mapped[str | None]
    level: Mapped[str | None]
    calendar: Mapped[str | None]
    active: Mapped[bool]
    external_ids: Mapped[dict[str, Any]]

    def event(self) -> Employee:
        return Employee(
            version=self.version,
            employee=self.id,
            manager=self.manager,
            level=self.level,
            calendar=self.calendar,
            active=self.active,
        )


class AssignmentRow(DirectoryRow):
    __tablename__ = "assignment"

    employee: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]
    org_unit: Mapped[str] = mapped_column(index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None] = mapped_column(comment="exclusive")

    def event(self) -> Assignment:
        return Assignment(
            version=self.version,
            assignment=self.id,
            employee=self.employee,
            role=self.role,
            org_unit=self.org_unit,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


class AccountRow(DirectoryRow):
    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True, comment="keyed hash of the customer's reference")
    owner: Mapped[str]

    def event(self) -> Account:
        return Account(version=self.version, customer=self.id, owner=self.owner)


class TaxonomyRow(Base):
    __tablename__ = "taxonomy"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    causes: Mapped[list[dict[str, Any]]] = mapped_column(comment="as put: two levels, with names and owners")
    fingerprint: Mapped[str] = mapped_column(Computed("md5(causes::text)", persisted=True), deferred=True)


class MatrixRow(Base):
    """One version of an influence matrix."""

    __tablename__ = "influence_matrix"

    id: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    taxonomy: Mapped[str]
    cells: Mapped[list[dict[str, Any]]] = mapped_column(comment="role, cause, influence as a decimal string")
    fingerprint: Mapped[str] = mapped_column(Computed("md5(cells::text)", persisted=True), deferred=True)


class InteractionRow(Base):
    __tablename__ = "interaction"
    __table_args__ = (Index("interaction_employees", "employees", postgresql_using="gin"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    occurred_at: Mapped[datetime]
    customer: Mapped[str] = mapped_column(comment="keyed hash of the customer's reference")
    org_unit: Mapped[str]
    touchpoint: Mapped[str]
    participants: Mapped[list[dict[str, Any]]] = mapped_column(comment="employee, role, verified")
    employees: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="of the participants, to search by")
    attributes: Mapped[dict[str, Any]]


class ResponseRow(Base):
    """A response as last heard of, and where its attribution stands. Locked while it is attributed."""

    __tablename__ = "response"
    __table_args__ = (
        Index(
            "response_unmatched", "response_id", postgresql_where=text("status IN ('pending', 'unmatched')")
        ),
    )

    response_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(comment="of the survey response")
    facts: Mapped[dict[str, Any]]
    customer: Mapped[str | None]
    interaction_ref: Mapped[str | None] = mapped_column(comment="what the response itself names")
    link_signed: Mapped[bool]
    erased: Mapped[bool]
    deleted: Mapped[bool]
    taxonomy: Mapped[str | None]
    looks_for: Mapped[str | None] = mapped_column(index=True, comment="the interaction it is matched by")
    decided: Mapped[bool] = mapped_column(
        default=False, comment="a person decided looks_for; revisions keep it"
    )
    status: Mapped[str] = mapped_column(default="pending")
    result_version: Mapped[int] = mapped_column(default=0)


class ResultRow(Base):
    """Every version of every attribution; the newest is the one the response's result_version names."""

    __tablename__ = "result"
    __table_args__ = by_month("response_id")

    response_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]] = mapped_column(comment="the event as published")


class DisputeRow(Base):
    __tablename__ = "dispute"
    __table_args__ = (
        Index(
            "dispute_open",
            "response_id",
            "employee",
            "kind",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    response_id: Mapped[UUID] = mapped_column(index=True)
    employee: Mapped[str] = mapped_column(index=True)
    kind: Mapped[Kind] = mapped_column(Text)
    reason: Mapped[str]
    state: Mapped[State] = mapped_column(Text)
    filed_by: Mapped[str]
    claimant_sub: Mapped[str | None] = mapped_column(comment="the employee's own login, if they filed it")
    filed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    corrected_interaction: Mapped[str | None]


class ReattributionRow(Base):
    """Work left by a changed rule: matched responses after `cursor` that the change may concern."""

    __tablename__ = "reattribution"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    taxonomy: Mapped[str | None] = mapped_column(comment="those of this taxonomy, or that name none")
    employees: Mapped[list[str] | None] = mapped_column(ARRAY(Text), comment="those with one of these people")
    since: Mapped[datetime | None] = mapped_column(comment="whose interaction happened at or after this")
    cursor: Mapped[UUID] = mapped_column(comment="the last response done")


add_runtime_tables(Base.metadata)
