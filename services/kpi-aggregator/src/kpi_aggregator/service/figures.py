"""Figures read from the buckets."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from kpi_aggregator.domain.figure import Figure, figure
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.peers import peer_group, prior_for
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.sums import NOTHING
from kpi_aggregator.domain.tree import Tree
from kpi_aggregator.service.buckets import sums_of_all, sums_of_some
from kpi_aggregator.service.kpi_settings import load_settings


async def read_figure(session: AsyncSession, kpi: str, scope: Scope, days: Days, tree: Tree) -> Figure:
    """One scope's figure, with the prior its peers give."""
    settings = await load_settings(session, kpi)
    group = peer_group(scope, tree)
    if group is None:
        sums = await sums_of_some(
            session, kpi, scope.scope_type, [scope.scope_id], view=scope.view, days=days
        )
        prior = settings.prior
    elif scope.scope_type == "employee":
        sums = await sums_of_all(session, kpi, scope.scope_type, view=scope.view, days=days)
        prior = prior_for(kpi, sums.values(), settings)
    else:
        beside = [unit for unit in tree.parents if tree.parents[unit] == tree.parents.get(scope.scope_id)]
        units = sorted({*beside, scope.scope_id})
        sums = await sums_of_some(session, kpi, scope.scope_type, units, view=scope.view, days=days)
        prior = prior_for(kpi, sums.values(), settings)
    of_scope = sums.get(scope.scope_id, NOTHING)
    return figure(kpi, scope, days, of_scope, prior=prior, min_n=settings.min_n)


async def read_employees(
    session: AsyncSession, kpi: str, scopes: Iterable[Scope], days: Days
) -> list[Figure]:
    """The figures of several employees in one view, all with the prior of all employees."""
    wanted = list(scopes)
    if not wanted:
        return []
    settings = await load_settings(session, kpi)
    sums = await sums_of_all(session, kpi, "employee", view=wanted[0].view, days=days)
    prior = prior_for(kpi, sums.values(), settings)
    return [
        figure(kpi, scope, days, sums.get(scope.scope_id, NOTHING), prior=prior, min_n=settings.min_n)
        for scope in wanted
    ]
