"""Who was asked at all: what the answers leave out."""

from datetime import date
from typing import Literal

import msgspec

from fairloop.auth import EVERYBODY
from fairloop.errors import NotFound
from fairloop.web import Answer, Caller, Listing, Paging, Routes, Session, Slug
from fairloop.web.paging import decode_cursor, encode_cursor
from kpi_aggregator.api.asked import AskedDays
from kpi_aggregator.api.figures import ScopeId, WindowOut
from kpi_aggregator.api.reading import check_may_see, visible_people
from kpi_aggregator.domain.coverage import Asked, Coverage, coverage
from kpi_aggregator.domain.marks import EVERYONE, Scope
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.tree import Tree
from kpi_aggregator.service.coverage import asked_by_employees, asked_by_organisation, asked_by_units
from kpi_aggregator.service.directory import working_in
from kpi_aggregator.service.kpi_settings import load_settings
from kpi_aggregator.service.tree import load_tree

routes = Routes(tag="coverage")


class CoverageOut(Answer):
    """Interactions by whether their customer could be asked and was; shares from 0 to 1 with Wilson intervals.

    `bounced` and `edited`: wrong contact data. What was answered is null for fewer answers than `min_n` of the NPS.
    """

    scope_type: str
    scope_id: str
    window: WindowOut
    interactions: int
    eligible: int
    sent: int
    coverage: float | None
    ci95: list[float] | None
    bounced: int
    edited: int
    answered: int | None
    answer_rate: float | None
    answer_rate_ci95: list[float] | None
    suppressed: bool
    reason: str


def _out(shown: Coverage) -> CoverageOut:
    return CoverageOut.model_validate(msgspec.to_builtins(shown, builtin_types=(date,)))


@routes.get("/v1/coverage/employee", allow=EVERYBODY)
async def list_coverage(
    session: Session, caller: Caller, page: Paging, days: AskedDays, org_unit: Slug | None = None
) -> Listing[CoverageOut]:
    """That of the employees the caller may see; with `org_unit` of those in its subtree."""
    tree = await load_tree(session)
    people = await visible_people(session, caller, days, tree)
    if org_unit is not None:
        await check_may_see(session, caller, Scope("org_unit", org_unit, "all"), days, tree)
        people &= await working_in(session, tree.subtree([org_unit]), days.last)
    after = "" if page.cursor is None else decode_cursor(page.cursor, [str])[0]
    following = sorted(employee for employee in people if employee > after)
    shown = following[: page.limit]
    asked = await asked_by_employees(session, days, shown)
    min_n = (await load_settings(session, "nps")).min_n
    more = encode_cursor(shown[-1:]) if len(following) > page.limit else None
    items = [_out(coverage("employee", one, days, asked.get(one, Asked()), min_n=min_n)) for one in shown]
    return Listing[CoverageOut](items=items, next=more)


@routes.get("/v1/coverage/{scope_type}/{id}", allow=EVERYBODY)
async def get_coverage(
    scope_type: Literal["employee", "org_unit", "organisation"],
    id: ScopeId,
    session: Session,
    caller: Caller,
    days: AskedDays,
) -> CoverageOut:
    """One scope's; without invitations there is no share, and the reason says so."""
    if scope_type == "organisation" and id != EVERYONE:
        raise NotFound(f"The organisation's id is {EVERYONE}.")
    scope = Scope(scope_type, id, "all")
    tree = await load_tree(session)
    await check_may_see(session, caller, scope, days, tree)
    min_n = (await load_settings(session, "nps")).min_n
    return _out(coverage(scope_type, id, days, await _asked(session, scope, days, tree), min_n=min_n))


async def _asked(session: Session, scope: Scope, days: Days, tree: Tree) -> Asked:
    if scope.scope_type == "employee":
        return (await asked_by_employees(session, days, [scope.scope_id])).get(scope.scope_id, Asked())
    if scope.scope_type == "org_unit":
        return await asked_by_units(session, tree.subtree([scope.scope_id]), days)
    return await asked_by_organisation(session, days)
