"""Figures read from the buckets."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from kpi_aggregator.domain.figure import Figure, figure
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.peers import peer_group, prior_for
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.sums import NOTHING
from kpi_aggregator.domain.tree import Tree
from kpi_aggregator.service.buckets import sums_of_all, sums_of_some
from kpi_aggregator.service.kpi_settings import load_settings
from kpi_aggregator.service.priors import Question, prior_of_group


async def read_figure(
    session: AsyncSession, kpi: str, scope: Scope, days: Days, *, tree: Tree, now: datetime
) -> Figure:
    """One scope's figure, with the prior its peers give."""
    settings = await load_settings(session, kpi)
    own = await sums_of_some(session, kpi, scope.scope_type, [scope.scope_id], view=scope.view, days=days)
    prior = settings.prior
    group = peer_group(scope, tree)
    if group is not None:
        question = Question(kpi, group, days, settings)
        prior = await prior_of_group(session, question, scope, tree, now=now)
    return figure(kpi, scope, days, own.sums[scope.scope_id], prior=prior, min_n=settings.min_n)


async def read_group(session: AsyncSession, kpi: str, scopes: Iterable[Scope], days: Days) -> list[Figure]:
    """The figures of several scopes of one type and view, all with the prior of everything of that type."""
    wanted = list(scopes)
    if not wanted:
        return []
    settings = await load_settings(session, kpi)
    sums, _ = await sums_of_all(session, kpi, wanted[0].scope_type, view=wanted[0].view, days=days)
    prior = prior_for(kpi, sums.values(), settings)
    return [
        figure(kpi, scope, days, sums.get(scope.scope_id, NOTHING), prior=prior, min_n=settings.min_n)
        for scope in wanted
    ]
