"""A list of items of which the good ones are kept, and the others are told what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from fairloop.errors import Invalid
from fairloop.web.problems import pointed

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Rejected:
    """`errors` are (JSON pointer, what is wrong there); `id` as far as the item has one."""

    id: str | None
    errors: list[tuple[str, str]]


@dataclass(frozen=True)
class Batch(Generic[M]):
    """The items of a list, each under its place there."""

    good: dict[int, M]
    rejected: dict[int, Rejected]


def read_one(body: Mapping[str, Any], model: type[M], *, name: str) -> M:
    """A body that is one item. Raises Invalid."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise Invalid(f"The {name} is not understood.", errors=pointed(error, below="/body")) from error


def read_batch(body: Mapping[str, Any], model: type[M], *, name: str, most: int) -> Batch[M]:
    """The list in `{"<name>s": […]}`. Raises Invalid when there is something beside it, or more than `most` items."""
    items = body[f"{name}s"]
    if not isinstance(items, list) or len(items) > most or len(body) > 1:
        raise Invalid(
            f"Send one {name}, or a list of up to {most} and nothing beside it.", pointer=f"/body/{name}s"
        )
    batch: Batch[M] = Batch({}, {})
    for index, item in enumerate(items):
        try:
            batch.good[index] = model.model_validate(item)
        except ValidationError as error:
            batch.rejected[index] = Rejected(_id_of(item), pointed(error, below=f"/body/{name}s/{index}"))
    return batch


def _id_of(item: Any) -> str | None:
    id = item.get("id") if isinstance(item, dict) else None
    return id if isinstance(id, str) else None
