"""Which published version of a plan counts when."""

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bonus.domain.notice import Published
from bonus.tables import PlanVersion


async def all_published(session: AsyncSession, plan: str | None = None) -> dict[str, list[Published]]:
    """Plan → its published versions, oldest first; of one plan or of all."""
    columns = (
        PlanVersion.id,
        PlanVersion.version,
        PlanVersion.text_hash,
        PlanVersion.body["notice_days"].as_integer().label("notice_days"),
        PlanVersion.published_on,
        PlanVersion.in_force_from,
        PlanVersion.changed_at,
    )
    statement = select(*columns).where(PlanVersion.status == "published")
    if plan is not None:
        statement = statement.where(PlanVersion.id == plan)
    found: dict[str, list[Published]] = defaultdict(list)
    for row in await session.execute(statement.order_by(PlanVersion.id, PlanVersion.version)):
        # versions published before there was notice count from the day they were published
        on = row.published_on or row.changed_at.date()
        found[row.id].append(
            Published(row.version, row.text_hash, row.notice_days, on, row.in_force_from or on)
        )
    return found


async def published_versions(session: AsyncSession, plan: str) -> list[Published]:
    """The plan's published versions, oldest first."""
    return (await all_published(session, plan)).get(plan, [])
