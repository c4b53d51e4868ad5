"""Figures looked into: the answers themselves are read, not their sums."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from kpi_aggregator.domain.contributors import Contributor, contributors
from kpi_aggregator.domain.drivers import Driver, drivers
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.tree import Tree
from kpi_aggregator.service.kpi_settings import load_settings
from kpi_aggregator.service.stored import of_scope


async def read_drivers(
    session: AsyncSession, kpi: str, scope: Scope, days: Days, *, tree: Tree
) -> list[Driver]:
    """Empty when the scope has too few answers."""
    min_n = (await load_settings(session, kpi)).min_n
    found = await of_scope(session, days, scope, tree)
    return await asyncio.to_thread(drivers, found, kpi, scope, tree, min_n=min_n)


async def read_contributors(
    session: AsyncSession, kpi: str, employee: str, days: Days, *, tree: Tree
) -> list[Contributor]:
    """Empty when there are too few answers about the person."""
    min_n = (await load_settings(session, kpi)).min_n
    found = await of_scope(session, days, Scope("employee", employee, "all"), tree)
    return await asyncio.to_thread(contributors, found, kpi, employee, min_n=min_n)
