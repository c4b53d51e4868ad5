"""Runs: look at, approve, pay."""

from datetime import datetime
from uuid import UUID

from bonus.domain.lifecycle import RunStatus
from bonus.service.runs import approve, mark_paid
from bonus.service.runs import get_run as load_run
from bonus.tables import BonusRunRow
from fairloop.auth import Role, roles
from fairloop.web import Answer, Caller, Now, Routes, Session

routes = Routes(tag="runs")


class SnapshotRef(Answer):
    id: str
    content_hash: str


class RunOut(Answer):
    """One calculation. The same `inputs_hash` means the same statements, byte for byte."""

    id: UUID
    period: str
    plan: str
    plan_version: int
    status: RunStatus
    inputs_hash: str
    rule_version: str
    snapshots: dict[str, SnapshotRef]
    payees: int
    total_minor: int
    unspent_minor: int
    currency: str
    calculated_by: str
    calculated_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    paid_by: str | None
    paid_at: datetime | None

    @classmethod
    def of(cls, row: BonusRunRow) -> "RunOut":
        return cls.model_validate(row)


@routes.get("/v1/runs/{id}", allow=roles(Role.ADMIN, Role.FINANCE, Role.ANALYST, Role.WORKS_COUNCIL))
async def get_run(id: UUID, session: Session) -> RunOut:
    return RunOut.of(await load_run(session, id))


@routes.post("/v1/runs/{id}/approve", allow=roles(Role.ADMIN, Role.FINANCE))
async def post_approve(id: UUID, session: Session, caller: Caller, now: Now) -> RunOut:
    return RunOut.of(await approve(session, id, caller=caller, now=now))


@routes.post("/v1/runs/{id}/paid", allow=roles(Role.ADMIN, Role.FINANCE))
async def post_paid(id: UUID, session: Session, caller: Caller, now: Now) -> RunOut:
    return RunOut.of(await mark_paid(session, id, caller=caller, now=now))
