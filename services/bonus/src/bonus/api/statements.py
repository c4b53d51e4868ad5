"""Statements and the payroll file."""

from fastapi import Response
from sqlalchemy import false, select

from bonus.api.statement_body import ExplainedOut, StatementOut
from bonus.domain.statement import Statement
from bonus.service.periods import get_period
from bonus.service.runs import current_run
from bonus.service.statements import Reader, payroll, reader_of, statement_of
from bonus.tables import BonusRunRow, StatementRow
from fairloop.auth import Role, roles
from fairloop.web import Caller, Listing, Paging, Routes, Session, Slug, listing

routes = Routes(tag="statements")

READERS = roles(Role.ADMIN, Role.FINANCE, Role.MANAGER, Role.EMPLOYEE)


@routes.get("/v1/periods/{id}/statements/{employee}", allow=READERS)
async def get_statement(id: Slug, employee: Slug, session: Session, caller: Caller) -> StatementOut:
    run, statement = await statement_of(session, id, employee, caller)
    return _shown(run, statement)


@routes.get("/v1/periods/{id}/statements", allow=READERS)
async def get_statements(id: Slug, session: Session, caller: Caller, page: Paging) -> Listing[StatementOut]:
    """Those the caller may read, of the run that counts."""
    await get_period(session, id)
    run = await current_run(session, id)
    if run is None:
        return Listing[StatementOut](items=[])
    reader = await Reader.of(session, caller)
    statement = select(StatementRow).where(StatementRow.run_id == run.id)
    if not reader.everybody:
        mine = StatementRow.employee == reader.employee if reader.employee else false()
        statement = statement.where(mine | StatementRow.org_units.overlap(sorted(reader.units)))
    read = await reader_of(session, run)
    return await listing(
        session, statement, by=[StatementRow.employee], page=page, to=lambda row: _shown(run, read(row))
    )


@routes.get("/v1/periods/{id}/payroll.csv", allow=roles(Role.ADMIN, Role.FINANCE), response_class=Response)
async def get_payroll(id: Slug, session: Session) -> Response:
    """RFC 4180, of the approved run."""
    text = await payroll(session, id)
    disposition = f'attachment; filename="payroll-{id.replace(":", "_")}.csv"'
    return Response(text, media_type="text/csv", headers={"Content-Disposition": disposition})


def _shown(run: BonusRunRow, statement: Statement) -> StatementOut:
    explained = ExplainedOut.model_validate(statement)
    return StatementOut(**dict(explained), period=run.period, run=run.id, status=run.status)
