"""What the linter can be told without asking another service, and its findings at rest."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.lint import Known
from bonus.domain.plan import Plan
from bonus.domain.waiver import Judged
from bonus.service.directory import strangers
from bonus.tables import KindOfWork, Unit


async def told_by_directory(session: AsyncSession, plan: Plan) -> Known:
    """What is known without asking another service."""
    named = {c.scope.removeprefix("org_unit:") for c in plan.components if c.scope.startswith("org_unit:")}
    units = set(await session.scalars(select(Unit.org_unit).where(Unit.org_unit.in_(named))))
    return Known(
        stranger_payees=tuple(await strangers(session, {payee.employee for payee in plan.payees})),
        stranger_units=tuple(sorted(named - units)),
        customer_facing=await customer_facing(session),
    )


async def customer_facing(session: AsyncSession) -> dict[str, bool]:
    """Role → whether those who hold it meet customers."""
    rows = await session.execute(select(KindOfWork.role, KindOfWork.customer_facing))
    return {row.role: row.customer_facing for row in rows}


def stated(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    """As they are kept with the version."""
    kept: list[dict[str, Any]] = msgspec.to_builtins(list(judged))
    return kept


def restated(kept: list[dict[str, Any]] | None) -> tuple[Judged, ...]:
    """As they were kept; none with versions of earlier releases."""
    return msgspec.convert(kept or [], tuple[Judged, ...])
