"""Taxonomies and influence matrices: what a change of either concerns is attributed again."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.service import locks, reattribution
from attribution.service.attribute import Moment
from attribution.service.kept_rules import taxonomy_of
from attribution.tables import MatrixRow, TaxonomyRow
from fairloop.errors import Invalid, NotFound


async def put_taxonomy(
    session: AsyncSession, id: str, causes: list[dict[str, Any]], *, at: Moment
) -> TaxonomyRow:
    """Create or replace a taxonomy. Raises Invalid when an id stands in it twice."""
    repeated = taxonomy_of(id, causes).repeated_ids()
    if repeated:
        raise Invalid(f"Used twice: {', '.join(repeated)}.", pointer="/body/causes")
    await locks.changing_rules(session)
    row = await session.get(TaxonomyRow, id)
    if row is not None and row.causes == causes:
        return row
    if row is None:
        row = TaxonomyRow(id=id, version=1, causes=causes)
        session.add(row)
    else:
        row.causes = causes
        row.version += 1
    await session.flush()
    await reattribution.begin(session, at=at, taxonomy=id)
    return row


async def put_matrix(
    session: AsyncSession,
    id: str,
    *,
    taxonomy: str,
    valid_from: date,
    cells: list[dict[str, Any]],
    at: Moment,
) -> MatrixRow:
    """Create or replace the version of a matrix that begins on `valid_from`; versions of other days stay.

    Raises Invalid when a cell stands in it twice or, if the taxonomy is known, names a cause it does not have.
    """
    await locks.changing_rules(session)
    ordered = sorted(cells, key=lambda cell: (cell["role"], cell["cause"]))
    row = await session.get(MatrixRow, (id, valid_from))
    if row is not None and (row.taxonomy, row.cells) == (taxonomy, ordered):
        return row
    _check_cells(await session.get(TaxonomyRow, taxonomy), cells)
    concerned = {taxonomy}
    if row is None:
        row = MatrixRow(id=id, valid_from=valid_from, taxonomy=taxonomy, cells=ordered)
        session.add(row)
    else:
        concerned.add(row.taxonomy)
        row.taxonomy, row.cells = taxonomy, ordered
    await session.flush()
    since = datetime.combine(valid_from, time(), at.zone).astimezone(UTC)
    for one in sorted(concerned):
        await reattribution.begin(session, at=at, taxonomy=one, since=since)
    return row


def _check_cells(taxonomy: TaxonomyRow | None, cells: Sequence[dict[str, Any]]) -> None:
    causes = taxonomy_of(taxonomy.id, taxonomy.causes).ids() if taxonomy else None
    errors: list[tuple[str, str]] = []
    seen: set[tuple[str, str]] = set()
    for n, cell in enumerate(cells):
        key = (cell["role"], cell["cause"])
        if key in seen:
            errors.append((f"/body/cells/{n}", f"Role {key[0]} and cause {key[1]} stand here twice."))
        elif causes is not None and key[1] not in causes:
            errors.append((f"/body/cells/{n}/cause", f"The taxonomy has no cause {key[1]}."))
        seen.add(key)
    if errors:
        raise Invalid("The matrix has cells that cannot count.", errors=errors)


async def matrix_versions(session: AsyncSession, id: str) -> Sequence[MatrixRow]:
    """Every version of a matrix, oldest first. Raises NotFound."""
    rows = (
        await session.scalars(select(MatrixRow).where(MatrixRow.id == id).order_by(MatrixRow.valid_from))
    ).all()
    if not rows:
        raise NotFound(f"No influence matrix {id}.")
    return rows
