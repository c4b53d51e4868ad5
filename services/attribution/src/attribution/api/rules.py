"""Cause taxonomies and influence matrices: everybody may read the rules they are measured by."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select

from attribution.api.asked import WRITERS, At, Line
from attribution.service import rules
from attribution.tables import MatrixRow, TaxonomyRow
from fairloop.auth import EVERYBODY
from fairloop.errors import NotFound
from fairloop.web import Answer, Body, Listing, Paging, Routes, Session, Slug, listing

routes = Routes(tag="rules")


class CauseIn(Body):
    id: Slug
    name: Line
    process_owner: Annotated[Slug | None, Field(description="an org unit")] = None


class TopCauseIn(CauseIn):
    children: Annotated[list[CauseIn], Field(max_length=500, default_factory=list)]


class TaxonomyIn(Body):
    causes: Annotated[list[TopCauseIn], Field(max_length=500)]


class TaxonomyOut(Answer):
    id: str
    causes: list[dict[str, Any]]
    version: int


@routes.put("/v1/taxonomies/{id}", allow=WRITERS)
async def put_taxonomy(id: Slug, body: TaxonomyIn, session: Session, at: At) -> TaxonomyOut:
    """Create or replace a taxonomy; responses that use it are attributed again."""
    causes = [cause.model_dump() for cause in body.causes]
    return TaxonomyOut.model_validate(await rules.put_taxonomy(session, id, causes, at=at))


@routes.get("/v1/taxonomies/{id}", allow=EVERYBODY)
async def get_taxonomy(id: Slug, session: Session) -> TaxonomyOut:
    row = await session.get(TaxonomyRow, id)
    if row is None:
        raise NotFound(f"No taxonomy {id}.")
    return TaxonomyOut.model_validate(row)


@routes.get("/v1/taxonomies", allow=EVERYBODY)
async def list_taxonomies(session: Session, page: Paging) -> Listing[TaxonomyOut]:
    return await listing(
        session, select(TaxonomyRow), by=[TaxonomyRow.id], page=page, to=TaxonomyOut.model_validate
    )


class CellIn(Body):
    role: Slug
    cause: Slug
    influence: Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)]


class MatrixIn(Body):
    taxonomy: Slug
    valid_from: date
    cells: Annotated[list[CellIn], Field(max_length=20_000)]


class CellOut(Answer):
    role: str
    cause: str
    influence: str


class MatrixVersionOut(Answer):
    id: str
    taxonomy: str
    valid_from: date
    cells: list[CellOut]


class MatrixOut(MatrixVersionOut):
    versions: Annotated[list[date], Field(description="the valid_from of every version there is")]


def _matrix(row: MatrixRow, every: list[date]) -> MatrixOut:
    return MatrixOut(
        id=row.id,
        taxonomy=row.taxonomy,
        valid_from=row.valid_from,
        cells=[CellOut(**cell) for cell in row.cells],
        versions=every,
    )


@routes.put("/v1/influence-matrices/{id}", allow=WRITERS)
async def put_matrix(id: Slug, body: MatrixIn, session: Session, at: At) -> MatrixOut:
    """Create or replace the version that begins on `valid_from`; interactions since then are attributed again."""
    cells = [
        {"role": cell.role, "cause": cell.cause, "influence": f"{cell.influence.normalize():f}"}
        for cell in body.cells
    ]
    row = await rules.put_matrix(
        session, id, taxonomy=body.taxonomy, valid_from=body.valid_from, cells=cells, at=at
    )
    every = await rules.matrix_versions(session, id)
    return _matrix(row, [one.valid_from for one in every])


@routes.get("/v1/influence-matrices/{id}", allow=EVERYBODY)
async def get_matrix(id: Slug, session: Session, valid_from: date | None = None) -> MatrixOut:
    """The newest version, or the one that begins on `valid_from`."""
    every = await rules.matrix_versions(session, id)
    wanted = [row for row in every if valid_from in {None, row.valid_from}]
    if not wanted:
        raise NotFound(f"Matrix {id} has no version that begins on {valid_from}.")
    return _matrix(wanted[-1], [row.valid_from for row in every])


@routes.get("/v1/influence-matrices", allow=EVERYBODY)
async def list_matrices(session: Session, page: Paging) -> Listing[MatrixVersionOut]:
    """Every version of every matrix."""
    return await listing(
        session,
        select(MatrixRow),
        by=[MatrixRow.id, MatrixRow.valid_from],
        page=page,
        to=MatrixVersionOut.model_validate,
    )
