"""Directory entries as the log tells them: the public part of each."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from attribution.tables import AccountRow, AssignmentRow, DirectoryRow, EmployeeRow, OrgUnitRow, RoleRow
from fairloop.events import Account, Assignment, Employee, EventData, OrgUnit, Role
from fairloop.outbox import publish

NAMELESS = "(lost in a restore)"
"""The name of a person whom only the log knows."""


async def take(session: AsyncSession, events: Sequence[EventData]) -> int:
    """A newer version replaces the public part; an entry changed since the restore stays and is published again."""
    changed: set[str] = set()
    unlike: dict[str, DirectoryRow] = {}
    for event in events:
        kind, id = _place(event)
        held = await session.get(kind, id)
        if held is None:
            held = kind(**_content(event), **_private(kind), version=event.version)
            session.add(held)
            changed.add(event.key)
        elif held.version < event.version:
            for name, value in _content(event).items():
                setattr(held, name, value)
            held.version = event.version
            changed.add(event.key)
        elif held.version == event.version and held.event() != event:
            held.version += 1
            unlike[event.key] = held
    await session.flush()
    await publish(session, [held.event() for held in unlike.values()])
    return len(changed | unlike.keys())


def _place(event: EventData) -> tuple[type[DirectoryRow], str]:
    match event:
        case OrgUnit():
            return OrgUnitRow, event.org_unit
        case Role():
            return RoleRow, event.role
        case Employee():
            return EmployeeRow, event.employee
        case Assignment():
            return AssignmentRow, event.assignment
        case Account():
            return AccountRow, event.customer
        case _:
            raise TypeError(f"not of the directory: {event.type}")


def _content(event: EventData) -> dict[str, object]:
    """The columns an event tells."""
    kind, id = _place(event)
    columns = set(kind.__mapper__.columns.keys()) - {"version"}
    return {name: getattr(event, name) for name in event.__struct_fields__ if name in columns} | {"id": id}


def _private(kind: type[DirectoryRow]) -> dict[str, object]:
    return {"name": NAMELESS, "external_ids": {}} if kind is EmployeeRow else {}
