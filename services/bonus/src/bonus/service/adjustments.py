"""What has changed since a run was approved: computed when asked, the run stays as it is."""

import asyncio
from collections.abc import Mapping

import msgspec

from bonus.domain.adjustment import Adjustment, adjustments
from bonus.domain.missing import MissingFigureError
from bonus.domain.plan import Plan
from bonus.domain.snapshot import Figures, Invited, coverage_of
from bonus.domain.standing import Standing
from bonus.service.acceptances import accepted_by
from bonus.service.plans import plan_version
from bonus.service.snapshots import corrections, fetch
from bonus.service.statements import closed_run, payouts_of
from bonus.tables import BonusRunRow
from fairloop.errors import Conflict
from fairloop.service import Runtime


async def adjustments_of(runtime: Runtime, period: str) -> tuple[BonusRunRow, list[Adjustment]]:
    """Replay the approved run on corrected figures. Raises NotFound, Conflict, Unavailable."""
    async with runtime.db.begin() as session:
        run = await closed_run(session, period)
        held = await plan_version(session, run.plan, run.plan_version)
        approved = await payouts_of(session, run)
        accepted = await accepted_by(session, run.plan, held.text_hash)
    frozen = {kpi: one["id"] for kpi, one in run.snapshots.items()}
    corrected = await corrections(runtime.peers, frozen, held.plan)
    coverage = await _coverage(runtime, frozen, held.plan)
    figures = Figures.of((figure for one in corrected for figure in one.figures), coverage)
    changed = [change for one in corrected for change in one.changed]
    standing = msgspec.convert(run.standing, Standing)
    try:
        lines = await asyncio.to_thread(
            adjustments, held.plan, standing, approved, figures, changed=changed, accepted_since=accepted
        )
    except MissingFigureError as error:
        raise Conflict(f"The corrected figures cannot be paid on: {error}.") from error
    return run, lines


async def _coverage(runtime: Runtime, frozen: Mapping[str, str], plan: Plan) -> Mapping[str, Invited]:
    """As it was frozen: invitations sent since correct nothing."""
    if not plan.asks_for_coverage:
        return {}
    return coverage_of((await fetch(runtime.peers, frozen, plan.components)).values())
