"""Questions and claims about a statement."""

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.service.statements import statement_of
from bonus.tables import Inquiry
from fairloop.auth import Caller, Role
from fairloop.ids import uuid7


async def ask(
    session: AsyncSession, *, period: str, employee: str, text: str, caller: Caller, now: datetime
) -> Inquiry:
    """Keep a question. Raises NotFound when there is no such statement, or not for this caller."""
    await statement_of(session, period, employee, caller)
    inquiry = Inquiry(
        id=uuid7(), period=period, employee=employee, text=text, asked_by=caller.sub, asked_at=now
    )
    session.add(inquiry)
    return inquiry


def visible_to(caller: Caller) -> Select[Inquiry]:
    """Everybody's for those who answer them, else one's own."""
    if caller.has(Role.ADMIN, Role.FINANCE):
        return select(Inquiry)
    return select(Inquiry).where(Inquiry.employee == caller.employee_id)
