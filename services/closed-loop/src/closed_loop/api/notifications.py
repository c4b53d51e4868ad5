"""What somebody is to be told, and whether it was seen."""

from datetime import datetime
from typing import Annotated

from fastapi import Path

from closed_loop.service.notifications import mark_read, notifications_for
from closed_loop.tables import NotificationRow
from fairloop.auth import Role, roles
from fairloop.web import Answer, Caller, Listing, Now, Paging, Routes, Session, listing

routes = Routes(tag="notifications")
READERS = roles(Role.ADMIN, Role.OPS, Role.MANAGER, Role.EMPLOYEE)
Number = Annotated[int, Path(ge=1, lt=2**63)]


class SubjectOut(Answer):
    type: str
    id: str


class NotificationItem(Answer):
    """`clock` is the promise of a case that is late, or soon will be."""

    id: int
    recipient: str
    kind: str
    about: SubjectOut
    clock: str | None
    created_at: datetime
    read_at: datetime | None


@routes.get("/v1/notifications", allow=READERS)
async def list_notifications(
    *,
    session: Session,
    page: Paging,
    caller: Caller,
    recipient: str | None = None,
    kind: str | None = None,
    unread: bool | None = None,
) -> Listing[NotificationItem]:
    """The newest first."""
    statement = await notifications_for(session, caller)
    if recipient is not None:
        statement = statement.where(NotificationRow.recipient == recipient)
    if kind is not None:
        statement = statement.where(NotificationRow.kind == kind)
    if unread is not None:
        statement = statement.where(NotificationRow.read_at.is_(None) == unread)
    by = [NotificationRow.id]
    return await listing(session, statement, by=by, page=page, to=_item, descending=True)


@routes.post("/v1/notifications/{id}/read", allow=READERS)
async def read_notification(id: Number, session: Session, caller: Caller, now: Now) -> NotificationItem:
    return _item(await mark_read(session, id, caller=caller, now=now))


def _item(row: NotificationRow) -> NotificationItem:
    return NotificationItem(
        id=row.id,
        recipient=row.recipient,
        kind=row.kind,
        about=SubjectOut(type=row.subject_type, id=row.subject_id or str(row.case_id)),
        clock=row.clock,
        created_at=row.at,
        read_at=row.read_at,
    )
