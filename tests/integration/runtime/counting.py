"""A small producer and a small consumer on the real catalogue: the consumer sums what each key's newest version says.

It keeps the rules a service keeps: newest version wins, exactly once, rejects what can never be applied.
"""

from collections.abc import Sequence

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairloop.db import sql
from fairloop.events import OrgUnit
from fairloop.poison import Reject
from fairloop.service import Handlers
from fairloop.tables import add_runtime_tables

PRODUCER = "attribution"  # who the catalogue says produces directory.v1
CONSUMER = "counting"


class Base(DeclarativeBase):
    pass


class Unit(Base):
    """`applied` counts how often anything was applied to the unit: a second time for one version would show."""

    __tablename__ = "unit"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    applied: Mapped[int]


add_runtime_tables(Base.metadata)
metadata: MetaData = Base.metadata


class Applying:
    """The consumer's handler, which a test can make fail."""

    def __init__(self) -> None:
        self.broken: Exception | None = None
        self.bad_names: dict[str, Exception] = {}

    @property
    def handlers(self) -> Handlers:
        return {OrgUnit: self.apply}

    async def apply(self, session: AsyncSession, units: Sequence[OrgUnit]) -> None:
        if self.broken is not None:
            raise self.broken
        for unit in units:
            if unit.name in self.bad_names:
                raise self.bad_names[unit.name]
            if unit.name.startswith("reject"):
                raise Reject(f"{unit.name} cannot be applied", unit)
        await sql(
            session,
            "INSERT INTO unit (id, version, name, applied)"
            " SELECT id, max(version), (array_agg(name ORDER BY version DESC))[1], count(*)"
            " FROM unnest($1::text[], $2::integer[], $3::text[]) AS new (id, version, name) GROUP BY id"
            " ON CONFLICT (id) DO UPDATE SET version = greatest(unit.version, excluded.version), name = CASE"
            " WHEN excluded.version > unit.version THEN excluded.name ELSE unit.name END,"
            " applied = unit.applied + excluded.applied",
            [unit.org_unit for unit in units],
            [unit.version for unit in units],
            [unit.name for unit in units],
        )
