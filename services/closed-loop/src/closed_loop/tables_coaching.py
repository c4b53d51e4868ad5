"""Behaviours, training and observations at rest. Nothing of it is published, so nothing of it can reach pay."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from closed_loop.tables import Base


class BehaviourRow(Base):
    """What is expected of a role."""

    __tablename__ = "behaviour"

    id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    active: Mapped[bool]
    changed_at: Mapped[datetime]


class TrainingRow(Base):
    """Somebody completed a course, or training in a behaviour."""

    __tablename__ = "training"
    __table_args__ = (Index("training_employee", "employee"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    employee: Mapped[str]
    course: Mapped[str | None]
    behaviour: Mapped[str | None]
    completed_on: Mapped[date]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class ObservationRow(Base):
    """Somebody watched a colleague at work. A withdrawn one counts no more; `reply` is the observed person's word."""

    __tablename__ = "observation"
    __table_args__ = (
        Index("observation_employee", "employee", "observed_on"),
        Index("observation_observed_on", "observed_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    employee: Mapped[str]
    behaviour: Mapped[str]
    shown: Mapped[bool]
    note: Mapped[str | None]
    observed_on: Mapped[date]
    observed_by: Mapped[str]
    recorded_at: Mapped[datetime]
    reply: Mapped[str | None]
    replied_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_because: Mapped[str | None]
