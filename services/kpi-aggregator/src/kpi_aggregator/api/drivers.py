"""What drives a figure, and who else had a part in it."""

from typing import Literal

import msgspec

from fairloop.auth import EVERYBODY, Role, roles
from fairloop.errors import Invalid
from fairloop.web import Answer, Caller, Routes, Session, Slug
from kpi_aggregator.api.asked import AskedDays
from kpi_aggregator.api.figures import ScopeId, WindowOut, asked_scope
from kpi_aggregator.api.reading import check_may_see
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.domain.marks import Scope, ScopeType, View
from kpi_aggregator.service.drivers import read_contributors, read_drivers
from kpi_aggregator.service.tree import load_tree

routes = Routes(tag="kpis")


class DriverOut(Answer):
    """One cause (null: none was given). `impact`: its points of the figure; over all causes they sum to the value."""

    cause: str | None
    n: int | None
    weight: str | None
    promoters: int | None
    passives: int | None
    detractors: int | None
    value: float | None
    ci95: list[float] | None
    impact: float | None
    suppressed: bool


class DriversOut(Answer):
    """What costs most comes first. Too few answers in all: `suppressed`, and no items."""

    kpi: str
    scope_type: str
    scope_id: str
    view: str
    window: WindowOut
    suppressed: bool
    items: list[DriverOut]


@routes.get("/v1/kpis/{kpi}/{scope_type}/{id}/causes", allow=EVERYBODY)
async def get_drivers(
    *,
    kpi: Kpi,
    scope_type: ScopeType,
    id: ScopeId,
    session: Session,
    caller: Caller,
    days: AskedDays,
    view: View = "all",
) -> DriversOut:
    """The causes that customers named, with the points of the figure that come from each."""
    if scope_type == "cause":
        raise Invalid("A cause has no causes of its own.", pointer="/path/scope_type")
    scope = asked_scope(scope_type, id, view)
    tree = await load_tree(session)
    await check_may_see(session, caller, scope, days, tree)
    found = await read_drivers(session, kpi, scope, days, tree=tree)
    return DriversOut(
        kpi=kpi,
        scope_type=scope_type,
        scope_id=id,
        view=view,
        window=WindowOut(from_=days.start, to=days.end),
        suppressed=not found,
        items=[DriverOut.model_validate(msgspec.to_builtins(one)) for one in found],
    )


class ContributorOut(Answer):
    """Whose shares these were. "others": departments with too few answers to be named, together."""

    kind: Literal["self", "org_unit", "organisation", "others"]
    id: str | None
    n: int | None
    weight: str
    part: float


class ContributorsOut(Answer):
    """Who had a share in the answers about one person; `part` sums to 1. Too few answers: `suppressed`."""

    kpi: str
    employee: str
    window: WindowOut
    suppressed: bool
    items: list[ContributorOut]


@routes.get("/v1/kpis/{kpi}/employee/{id}/contributors", allow=EVERYBODY - roles(Role.WORKS_COUNCIL))
async def get_contributors(
    kpi: Kpi, id: Slug, session: Session, caller: Caller, days: AskedDays
) -> ContributorsOut:
    """Other departments in the answers about somebody: named, with amounts."""
    tree = await load_tree(session)
    await check_may_see(session, caller, Scope("employee", id, "all"), days, tree)
    found = await read_contributors(session, kpi, id, days, tree=tree)
    return ContributorsOut(
        kpi=kpi,
        employee=id,
        window=WindowOut(from_=days.start, to=days.end),
        suppressed=not found,
        items=[ContributorOut.model_validate(one) for one in found],
    )
