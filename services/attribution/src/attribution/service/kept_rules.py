"""Taxonomies and matrices, kept in memory under a fingerprint of what they say.

The fingerprint is read in the statement that loads a batch, so what is kept is never older than the batch's facts,
whichever process changed it; the database makes it of the contents, so no change can be forgotten.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from attribution.domain.matrix import InfluenceMatrix
from attribution.domain.rules import Rules, rules_of
from attribution.domain.shares import MILLION
from attribution.domain.taxonomy import Leaf, Taxonomy, TopCause
from fairloop.db import sql

FINGERPRINT = """
SELECT md5(concat(
  (SELECT string_agg(ROW(id, fingerprint)::text, '' ORDER BY id) FROM taxonomy), '/',
  (SELECT string_agg(ROW(id, valid_from, taxonomy, fingerprint)::text, '' ORDER BY id, valid_from)
   FROM influence_matrix)))
"""
"""What all rules say, in 32 digits."""

_RULES = f"""
SELECT ({FINGERPRINT}) AS fingerprint,
       (SELECT coalesce(json_agg(t), '[]')::text FROM (SELECT id, causes FROM taxonomy) t) AS taxonomies,
       (SELECT coalesce(json_agg(m), '[]')::text
        FROM (SELECT id, taxonomy, valid_from, cells FROM influence_matrix) m) AS matrices
"""


class _Put(msgspec.Struct):
    """A taxonomy as the table has it."""

    id: str
    causes: list[dict[str, Any]]


class _Cell(msgspec.Struct):
    """How much a role can influence a cause, as a decimal string of six places."""

    role: str
    cause: str
    influence: str


class _Matrix(msgspec.Struct):
    """A version of a matrix as the table has it."""

    id: str
    taxonomy: str
    valid_from: date
    cells: list[_Cell]


_taxonomies = msgspec.json.Decoder(list[_Put])
_matrices = msgspec.json.Decoder(list[_Matrix])
_kept: dict[str, Rules] = {}  # one entry: the rules last used, by their fingerprint


async def rules_of_fingerprint(session: AsyncSession, fingerprint: str) -> Rules:
    """The rules that say this, without anybody's assignments. The caller keeps others from changing them."""
    if fingerprint not in _kept:
        (row,) = await sql(session, _RULES)
        rules = rules_of(
            [taxonomy_of(one.id, one.causes) for one in _taxonomies.decode(row.taxonomies)],
            [_matrix(one) for one in _matrices.decode(row.matrices)],
            (),
        )
        _kept.clear()
        _kept[row.fingerprint] = rules
        return rules
    return _kept[fingerprint]


def taxonomy_of(id: str, causes: Sequence[dict[str, Any]]) -> Taxonomy:
    """The rule's view of a taxonomy as it was put."""
    return Taxonomy(
        id,
        tuple(
            TopCause(
                top["id"],
                top.get("process_owner"),
                tuple(Leaf(leaf["id"], leaf.get("process_owner")) for leaf in top.get("children", ())),
            )
            for top in causes
        ),
    )


def _matrix(held: _Matrix) -> InfluenceMatrix:
    influence = {(cell.role, cell.cause): _millionths(cell.influence) for cell in held.cells}
    return InfluenceMatrix(held.id, held.taxonomy, held.valid_from, influence)


@lru_cache  # a matrix has many cells and few different values
def _millionths(influence: str) -> int:
    """ "0.25" → 250000; six decimals are all there are."""
    return int(Decimal(influence) * MILLION)
