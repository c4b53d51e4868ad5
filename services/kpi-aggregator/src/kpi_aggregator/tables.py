"""Contributions (never pruned), the buckets they are summed in, the directory as far as figures need it, and frozen sets."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairloop.months import by_month
from fairloop.tables import add_runtime_tables


class Base(DeclarativeBase):
    """The tables of this service's database."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
    }


class HeldContribution(Base):
    """The newest version of what one response brings; `body` is it as JSON, without one it is retracted.

    `shard` is where its buckets are; `units` the org units it names directly.
    """

    __tablename__ = "contribution"
    __table_args__ = (
        Index("contribution_day", "day", postgresql_where="day IS NOT NULL"),
        Index("contribution_interaction", "interaction", postgresql_where="interaction IS NOT NULL"),
        by_month("response_id"),
    )

    response_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    shard: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(comment="counted | erased | deleted")
    day: Mapped[date | None]
    units: Mapped[list[str]] = mapped_column(ARRAY(Text))
    interaction: Mapped[str | None] = mapped_column(comment="the matched one")
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


class Happened(Base):
    """An interaction in its newest version. `day` is the organisation's local date of `occurred_at`."""

    __tablename__ = "interaction"
    __table_args__ = (Index("interaction_day", "day"),)

    interaction: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    day: Mapped[date]
    occurred_at: Mapped[datetime]
    org_unit: Mapped[str]
    touchpoint: Mapped[str]
    participants: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, comment="employee, role, verified")
    employees: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="the verified participants")
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Invited(Base):
    """An invitation in its newest version: its interaction's customer could be asked, on `day`, and perhaps was.

    Retracted it has no interaction and no day.
    """

    __tablename__ = "invitation"
    __table_args__ = (Index("invitation_day", "day", postgresql_where="day IS NOT NULL"),)

    invitation: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    interaction: Mapped[str | None]
    day: Mapped[date | None] = mapped_column(comment="local date of eligible_at")
    sent: Mapped[bool]
    bounced: Mapped[bool]
    edited: Mapped[bool]


class Counted:
    """The sums of one scope in one shard, so that two log partitions never wait for one row.

    Weights are millionths, `w2` is Σw² in millionths².
    """

    kpi: Mapped[str] = mapped_column(primary_key=True, sort_order=-5)
    scope_type: Mapped[str] = mapped_column(primary_key=True, sort_order=-4)
    scope_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-3)
    view: Mapped[str] = mapped_column(primary_key=True, sort_order=-2)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    n: Mapped[int]
    promoters: Mapped[int]
    detractors: Mapped[int]
    w: Mapped[int]
    w_promoters: Mapped[int]
    w_detractors: Mapped[int]
    wx: Mapped[int]
    wxx: Mapped[int]
    w2: Mapped[int]


class Bucket(Counted, Base):
    """The sums of one day."""

    __tablename__ = "bucket"

    day: Mapped[date] = mapped_column(primary_key=True, sort_order=-1)


class MonthBucket(Counted, Base):
    """The sums of a month's days, which the database keeps itself (triggers `bucket_*` of the migration 0002)."""

    __tablename__ = "month_bucket"

    month: Mapped[date] = mapped_column(primary_key=True, sort_order=-1, comment="its first day")


class Unit(Base):
    """An org unit and its parent."""

    __tablename__ = "org_unit"

    org_unit: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    parent: Mapped[str | None]


class Person(Base):
    """An employee, by id."""

    __tablename__ = "employee"

    employee: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    active: Mapped[bool]


class Posting(Base):
    """Who works where, in [valid_from, valid_to)."""

    __tablename__ = "assignment"
    __table_args__ = (Index("assignment_employee", "employee"), Index("assignment_org_unit", "org_unit"))

    assignment: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    employee: Mapped[str]
    org_unit: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class JourneyRow(Base):
    """The touchpoints a customer passes, in order."""

    __tablename__ = "journey"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    touchpoints: Mapped[list[str]] = mapped_column(ARRAY(Text))


class KpiSetting(Base):
    """What was set for a KPI; without a row the defaults hold."""

    __tablename__ = "kpi_setting"

    kpi: Mapped[str] = mapped_column(primary_key=True)
    mean: Mapped[float]
    sd_between: Mapped[float]
    sd_within: Mapped[float]
    min_n: Mapped[int]
    shift_z: Mapped[float] = mapped_column(server_default="3")
    shift_window_days: Mapped[int] = mapped_column(server_default="30")


class Shift(Base):
    """A rolling figure that moved, as announced: never changed, one for each scope and window."""

    __tablename__ = "kpi_shift"
    __table_args__ = (Index("kpi_shift_window", "kpi", "window_to"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kpi: Mapped[str]
    scope_type: Mapped[str]
    scope_id: Mapped[str]
    view: Mapped[str]
    before_from: Mapped[date]
    window_from: Mapped[date]
    window_to: Mapped[date]
    value: Mapped[float]
    before: Mapped[float]
    n: Mapped[int]
    n_before: Mapped[int]
    z: Mapped[float]
    threshold: Mapped[float]
    created_at: Mapped[datetime]


class PredictionRun(Base):
    """A run and, as JSON, what it came to. It is apart from all that is counted or frozen."""

    __tablename__ = "prediction_run"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kpi: Mapped[str]
    period_from: Mapped[date]
    period_to: Mapped[date]
    created_at: Mapped[datetime]
    outcome: Mapped[bytes] = mapped_column(LargeBinary)


class Prediction(Base):
    """What the customer of an interaction would probably have said: probabilities that sum to 1."""

    __tablename__ = "prediction"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("prediction_run.id"), primary_key=True)
    interaction: Mapped[str] = mapped_column(primary_key=True)
    promoter: Mapped[float]
    passive: Mapped[float]
    detractor: Mapped[float]


class Snapshot(Base):
    """A frozen set of figures. `circumstances` and `figures` are JSON; rows are never changed or deleted."""

    __tablename__ = "snapshot"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kpi: Mapped[str]
    period_from: Mapped[date]
    period_to: Mapped[date]
    content_hash: Mapped[str]
    created_at: Mapped[datetime]
    positions: Mapped[dict[str, Any]] = mapped_column(JSONB)
    circumstances: Mapped[bytes] = mapped_column(LargeBinary)
    figures: Mapped[bytes] = mapped_column(LargeBinary)


class SnapshotContribution(Base):
    """One frozen contribution of a snapshot, as JSON."""

    __tablename__ = "snapshot_contribution"

    snapshot_id: Mapped[UUID] = mapped_column(ForeignKey("snapshot.id"), primary_key=True)
    response_id: Mapped[UUID] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


add_runtime_tables(Base.metadata)
