"""Lists by cursor: the key of the last row shown, so that pages stay right while rows come and go."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Query
from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from fairloop.errors import Invalid
from fairloop.web.models import Listing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    cursor: str | None


async def _page(
    limit: Annotated[int, Query(ge=1, le=500)] = 100, cursor: Annotated[str | None, Query()] = None
) -> Page:
    return Page(limit, cursor)


Paging = Annotated[Page, Depends(_page)]

Key = ColumnElement[Any] | InstrumentedAttribute[Any]


def encode_cursor(key: Sequence[Any]) -> str:
    """An opaque cursor of a row's key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(key))).decode().rstrip("=")


def decode_cursor(cursor: str, types: Sequence[type[Any]]) -> list[Any]:
    """The key a cursor stands for. Raises Invalid."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return [
            msgspec.convert(part, kind, strict=False)
            for part, kind in zip(msgspec.json.decode(raw, type=list[Any]), types, strict=True)
        ]
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise Invalid("This cursor is not one of ours.", pointer="/query/cursor") from error


async def listing(
    session: AsyncSession,
    statement: Select[Any],
    *,
    by: Sequence[Key],
    page: Page,
    to: Callable[[Any], T],
    descending: bool = False,
) -> Listing[T]:
    """One page of the statement's first column, ordered by the unique key `by`, each item made by `to`."""
    key = tuple_(*by)
    if page.cursor is not None:
        after = tuple_(*decode_cursor(page.cursor, [column.type.python_type for column in by]))
        statement = statement.where(key < after if descending else key > after)
    order = [column.desc() if descending else column.asc() for column in by]
    rows = (await session.execute(statement.add_columns(*by).order_by(*order).limit(page.limit + 1))).all()
    shown = rows[: page.limit]
    more = encode_cursor(shown[-1][-len(by) :]) if len(rows) > page.limit else None
    return Listing[Any](items=[to(row[0]) for row in shown], next=more)
