"""Many directory entries at once: all of them or none."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service import locks, reattribution
from attribution.service.attribute import Moment
from attribution.service.directory import Change, collisions, cycles, write
from attribution.tables import AccountRow, AssignmentRow, DirectoryRow, EmployeeRow, OrgUnitRow, RoleRow
from fairloop.errors import Invalid

Errors = list[tuple[str, str]]

KINDS: tuple[type[DirectoryRow], ...] = (OrgUnitRow, RoleRow, EmployeeRow, AssignmentRow, AccountRow)


@dataclass(frozen=True, slots=True)
class Record:
    """One entry and where it stands in the file (a JSON pointer, or `/line/7` of a CSV)."""

    pointer: str
    row: DirectoryRow


async def import_all(
    session: AsyncSession, records: Sequence[Record], *, dry_run: bool, at: Moment
) -> dict[str, dict[Change, int]]:
    """Counts of created, changed and unchanged entries per kind; a dry run undoes what it did.

    Raises Invalid with every error found: an id twice, a reference to something that is neither here nor in the
    file, a unit below itself, a person in two places at once.
    """
    await locks.changing_directory(session)
    await locks.changing_rules(session)
    errors = _repeated(records) + await _dangling(session, records) + await _cyclic(session, records)
    errors += await _colliding(session, records)
    if errors:
        raise Invalid(f"Nothing was imported: {len(errors)} errors.", errors=errors)
    savepoint = await session.begin_nested()
    counts: dict[str, dict[Change, int]] = {}
    moved: set[str] = set()
    for kind in KINDS:
        written = await write(session, _of(records, kind))
        moved |= written.moved
        if written.changes:
            counts[kind.__tablename__] = dict(written.changes)
    if dry_run:
        await savepoint.rollback()
    elif moved:
        await reattribution.begin(session, at=at, employees=sorted(moved))
    return counts


def _of(records: Sequence[Record], kind: type[DirectoryRow]) -> list[DirectoryRow]:
    return [record.row for record in records if isinstance(record.row, kind)]


def _repeated(records: Sequence[Record]) -> Errors:
    first: dict[tuple[str, str], str] = {}
    errors: Errors = []
    for record in records:
        key = (record.row.__tablename__, record.row.id)
        if key in first:
            errors.append((record.pointer, f"The same {key[0]} stands at {first[key]}."))
        first.setdefault(key, record.pointer)
    return errors


_REFERENCES: dict[type[DirectoryRow], dict[str, type[DirectoryRow]]] = {
    OrgUnitRow: {"parent": OrgUnitRow},
    EmployeeRow: {"manager": EmployeeRow},
    AssignmentRow: {"employee": EmployeeRow, "role": RoleRow, "org_unit": OrgUnitRow},
    AccountRow: {"owner": EmployeeRow},
}


async def _dangling(session: AsyncSession, records: Sequence[Record]) -> Errors:
    known: dict[type[DirectoryRow], set[str]] = {}
    for kind in (OrgUnitRow, RoleRow, EmployeeRow):
        known[kind] = set(await session.scalars(select(kind.id))) | {row.id for row in _of(records, kind)}
    return [
        (f"{record.pointer}/{name}", f"No {target.__tablename__} {wanted}, neither here nor in the file.")
        for record in records
        for name, target in _REFERENCES.get(type(record.row), {}).items()
        for wanted in (getattr(record.row, name),)
        if wanted is not None and wanted not in known[target]
    ]


async def _cyclic(session: AsyncSession, records: Sequence[Record]) -> Errors:
    units = {record.row.id: record for record in records if isinstance(record.row, OrgUnitRow)}
    rows = [record.row for record in units.values() if isinstance(record.row, OrgUnitRow)]
    return [
        (f"{units[unit].pointer}/parent", f"A unit cannot be below itself: {way}.")
        for unit, way in (await cycles(session, rows)).items()
    ]


async def _colliding(session: AsyncSession, records: Sequence[Record]) -> Errors:
    found = {record.row.id: record for record in records if isinstance(record.row, AssignmentRow)}
    rows = [record.row for record in found.values() if isinstance(record.row, AssignmentRow)]
    return [(f"{found[id].pointer}/from", other) for id, other in (await collisions(session, rows)).items()]
