"""Figures of one scope, and of many employees at once."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from fastapi import Path
from pydantic import Field

from fairloop.auth import EVERYBODY
from fairloop.errors import Invalid, NotFound
from fairloop.web import Answer, Caller, Listing, Now, Paging, Routes, Session, Slug
from fairloop.web.paging import decode_cursor, encode_cursor
from kpi_aggregator.api.asked import AskedDays
from kpi_aggregator.api.reading import check_may_see, tree_for, visible_people
from kpi_aggregator.domain.figure import Figure
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.domain.marks import EVERYONE, ONE_VIEW, Scope, ScopeType, View
from kpi_aggregator.service.directory import working_in
from kpi_aggregator.service.figures import read_figure, read_group
from kpi_aggregator.service.tree import load_tree

routes = Routes(tag="kpis")

ScopeId = Annotated[str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,256}$", description="segments: name:value")]


class WindowOut(Answer):
    """The days counted; `to` is exclusive."""

    from_: date = Field(alias="from")
    to: date


class PriorOut(Answer):
    """What the score is shrunk towards, in the KPI's points."""

    mean: float
    sd_between: float
    sd_within: float
    source: Literal["published", "peers"]


class FigureOut(Answer):
    """A figure with how it was made. Weights are decimal strings; everything measured is null when suppressed."""

    kpi: str
    scope_type: str
    scope_id: str
    view: str
    window: WindowOut
    n: int | None
    weight: str | None
    n_eff: float | None
    promoters: int | None
    passives: int | None
    detractors: int | None
    promoters_weight: str | None
    passives_weight: str | None
    detractors_weight: str | None
    value: float | None
    ci95: list[float] | None
    reliability: float | None
    shrunk: float | None
    prior: PriorOut | None
    adjusted: float | None
    suppressed: bool
    reason: str
    position: int | None


def figure_out(figure: Figure) -> FigureOut:
    """As it is answered."""
    return FigureOut.model_validate(msgspec.to_builtins(figure, builtin_types=(date,)))


def asked_scope(scope_type: ScopeType, id: str, view: View) -> Scope:
    """Raises Invalid or NotFound."""
    if scope_type in ONE_VIEW and view != "all":
        raise Invalid(f"A {scope_type} has only the view all.", pointer="/query/view")
    if scope_type == "organisation" and id != EVERYONE:
        raise NotFound(f"The organisation's id is {EVERYONE}.")
    return Scope(scope_type, id, view)


@routes.get("/v1/kpis/{kpi}/employee", allow=EVERYBODY)
async def list_employees(
    *,
    kpi: Kpi,
    session: Session,
    caller: Caller,
    page: Paging,
    days: AskedDays,
    org_unit: Slug | None = None,
    view: View = "all",
) -> Listing[FigureOut]:
    """The figures of the employees the caller may see; with `org_unit` of those in its subtree.

    Somebody is in a unit who works there on the last of the days.
    """
    tree = await load_tree(session)
    people = await visible_people(session, caller, days, tree)
    if org_unit is not None:
        await check_may_see(session, caller, Scope("org_unit", org_unit, view), days, tree)
        people &= await working_in(session, tree.subtree([org_unit]), days.last)
    after = "" if page.cursor is None else decode_cursor(page.cursor, [str])[0]
    following = sorted(employee for employee in people if employee > after)
    shown = following[: page.limit]
    scopes = [Scope("employee", employee, view) for employee in shown]
    figures = await read_group(session, kpi, scopes, days)
    more = encode_cursor(shown[-1:]) if len(following) > page.limit else None
    return Listing[FigureOut](items=[figure_out(figure) for figure in figures], next=more)


@routes.get("/v1/kpis/{kpi}/{scope_type}/{id}", allow=EVERYBODY)
async def get_figure(
    *,
    kpi: Kpi,
    scope_type: ScopeType,
    id: ScopeId,
    session: Session,
    caller: Caller,
    days: AskedDays,
    now: Now,
    view: View = "all",
) -> FigureOut:
    """One figure. Nobody counted is no error: the figure is then suppressed, like that of any small group."""
    scope = asked_scope(scope_type, id, view)
    tree = await tree_for(session, caller, scope)
    await check_may_see(session, caller, scope, days, tree)
    return figure_out(await read_figure(session, kpi, scope, days, tree=tree, now=now))
