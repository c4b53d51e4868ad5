"""Commands: load the case under lock, decide, save, publish."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.case import Act, Case, Change, NotAllowedError
from closed_loop.domain.commands import MissingDocumentationError, UnknownResultError
from closed_loop.domain.routing import is_unit
from closed_loop.service.cases import act_of, lock_case, save
from closed_loop.service.directory import load_parents, load_people
from closed_loop.service.visibility import load_sight
from fairloop.auth import Caller
from fairloop.errors import Conflict, Forbidden, Invalid, NotFound

Command = Callable[[Case, Act], Change]


async def command(
    session: AsyncSession, case_id: UUID, decide: Command, *, caller: Caller, now: datetime
) -> Case:
    """Do something to a case. Raises NotFound (also for another's case), Forbidden, Conflict, Invalid."""
    sight = await load_sight(session, caller)
    case = await lock_case(session, case_id)
    if case is None or not sight.sees(case):
        raise NotFound("There is no such case.")
    if not sight.concerns(case):
        raise Forbidden("You are a watcher of this case: informed of it, not asked to act.")
    act = await act_of(session, case, by=caller.employee_id or caller.sub, now=now)
    try:
        change = decide(case, act)
    except NotAllowedError as error:
        raise Conflict(str(error)) from error
    except MissingDocumentationError as error:
        missing = [(f"/body/{field}", "Required by the case's alert rule.") for field in error.fields]
        raise Invalid(str(error), errors=missing) from error
    except UnknownResultError as error:
        raise Invalid(str(error), pointer="/body/result") from error
    (saved,) = await save(session, [change])
    return saved


async def check_owner(session: AsyncSession, owner: str) -> None:
    """Raises Invalid unless it is an active employee or, as `org_unit:<id>`, a unit."""
    if is_unit(owner):
        known = owner.removeprefix("org_unit:") in await load_parents(session)
    else:
        person = (await load_people(session, [owner])).get(owner)
        known = person is not None and person.active
    if not known:
        raise Invalid(f"{owner} is neither an active employee nor a unit.", pointer="/body/owner")
