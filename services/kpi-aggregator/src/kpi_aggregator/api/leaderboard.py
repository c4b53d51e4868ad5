"""Who is ahead, as far as the intervals can tell."""

from typing import Literal

from fairloop.auth import EVERYBODY
from fairloop.auth import Caller as AuthCaller
from fairloop.web import Answer, Caller, Routes, Session, Slug
from kpi_aggregator.api.asked import AskedDays
from kpi_aggregator.api.figures import FigureOut, WindowOut, figure_out
from kpi_aggregator.api.reading import check_may_see, reader, visible_people
from kpi_aggregator.domain.access import verdict
from kpi_aggregator.domain.kpi import Kpi
from kpi_aggregator.domain.leaderboard import leaderboard
from kpi_aggregator.domain.marks import Scope, View
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.tree import Tree
from kpi_aggregator.service.directory import working_in
from kpi_aggregator.service.figures import read_group
from kpi_aggregator.service.tree import load_tree

routes = Routes(tag="kpis")

Group = Literal["employee", "org_unit"]


class PlaceOut(Answer):
    """Who shares a rank cannot be told apart by these answers; their order means nothing."""

    rank: int
    figure: FigureOut


class LeaderboardOut(Answer):
    """`unranked`: how many have too few answers to be shown."""

    kpi: str
    group: Group
    view: str
    window: WindowOut
    unranked: int
    items: list[PlaceOut]


@routes.get("/v1/kpis/{kpi}/leaderboard", allow=EVERYBODY)
async def get_leaderboard(
    *,
    kpi: Kpi,
    session: Session,
    caller: Caller,
    days: AskedDays,
    group: Group = "employee",
    org_unit: Slug | None = None,
    view: View = "influenced",
) -> LeaderboardOut:
    """Of the employees or units that the caller may see; `org_unit`: those in its subtree, the units just below it.

    Overlapping 95 % intervals share a rank, so that nobody is placed behind somebody by chance.
    """
    tree = await load_tree(session)
    if org_unit is not None:
        await check_may_see(session, caller, Scope("org_unit", org_unit, view), days, tree)
    if group == "employee":
        ids = await visible_people(session, caller, days, tree)
        if org_unit is not None:
            ids &= await working_in(session, tree.subtree([org_unit]), days.last)
    else:
        ids = _units(caller, org_unit, tree)
    figures = await read_group(session, kpi, [Scope(group, id, view) for id in sorted(ids)], days)
    places = leaderboard(figures)
    return LeaderboardOut(
        kpi=kpi,
        group=group,
        view=view,
        window=_window(days),
        unranked=len(figures) - len(places),
        items=[PlaceOut(rank=place.rank, figure=figure_out(place.figure)) for place in places],
    )


def _units(caller: AuthCaller, above: str | None, tree: Tree) -> frozenset[str]:
    asking = reader(caller)
    return frozenset(
        unit
        for unit, parent in tree.parents.items()
        if (above is None or parent == above) and verdict(asking, "org_unit", unit, tree=tree) == "allowed"
    )


def _window(days: Days) -> WindowOut:
    return WindowOut(from_=days.start, to=days.end)
