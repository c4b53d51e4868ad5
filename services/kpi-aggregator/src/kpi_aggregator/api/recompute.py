"""The proof on demand."""

from typing import Any

from fairloop.auth import Role, roles
from fairloop.web import Answer, Routes, Session
from kpi_aggregator.service.recompute import recompute

routes = Routes(tag="operations")


class RecomputeOut(Answer):
    """`differences` lists at most a hundred buckets, each with what was held and what was folded anew."""

    equal: bool
    responses: int
    buckets: int
    differences: list[dict[str, Any]]


@routes.post("/v1/recompute", allow=roles(Role.ADMIN, Role.OPS))
async def post_recompute(session: Session) -> RecomputeOut:
    """Fold all contributions anew and compare with the incremental state; nothing is changed."""
    return RecomputeOut.model_validate(dict(await recompute(session)))
