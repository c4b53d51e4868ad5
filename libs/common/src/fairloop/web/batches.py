"""A list of items of which the good ones are kept, and the others are told what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from fairloop.errors import Invalid
from fairloop.web.models import Answer, Body, ProblemOut, Slug
from fairloop.web.problems import pointed


class Item(Body):
    """What a list is made of: known by its id."""

    id: Slug


class ItemOutcome(Answer):
    """What became of one item; whoever answers with it names the outcomes there are, `rejected` among them."""

    index: int
    id: str | None
    outcome: str
    errors: tuple[ProblemOut, ...] = ()


ItemT = TypeVar("ItemT", bound=Item)
OutcomeT = TypeVar("OutcomeT", bound=ItemOutcome)


@dataclass(frozen=True)
class Rejected:
    """`errors` are (JSON pointer, what is wrong there); `id` as far as the item has one."""

    id: str | None
    errors: list[tuple[str, str]]


@dataclass(frozen=True)
class Batch(Generic[ItemT]):
    """The items of a list, each under its place there."""

    good: dict[int, ItemT]
    rejected: dict[int, Rejected]

    def answers(self, outcomes: Sequence[str], to: type[OutcomeT]) -> list[OutcomeT]:
        """One for each item in the order of the list; `outcomes` are those of the good ones."""
        answers = {
            index: to(
                index=index,
                id=item.id,
                outcome="rejected",
                errors=tuple(ProblemOut(pointer=pointer, detail=detail) for pointer, detail in item.errors),
            )
            for index, item in self.rejected.items()
        }
        for (index, item), outcome in zip(self.good.items(), outcomes, strict=True):
            answers[index] = to(index=index, id=item.id, outcome=outcome)
        return [answers[index] for index in sorted(answers)]


def read_one(body: Mapping[str, Any], model: type[ItemT], *, name: str) -> ItemT:
    """A body that is one item. Raises Invalid."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise Invalid(f"The {name} is not understood.", errors=pointed(error, below="/body")) from error


def read_batch(body: Mapping[str, Any], model: type[ItemT], *, name: str, most: int) -> Batch[ItemT]:
    """The list in `{"<name>s": […]}`. Raises Invalid when there is something beside it, or more than `most` items."""
    items = body[f"{name}s"]
    if not isinstance(items, list) or len(items) > most or len(body) > 1:
        raise Invalid(
            f"Send one {name}, or a list of up to {most} and nothing beside it.", pointer=f"/body/{name}s"
        )
    batch: Batch[ItemT] = Batch({}, {})
    for index, item in enumerate(items):
        try:
            batch.good[index] = model.model_validate(item)
        except ValidationError as error:
            batch.rejected[index] = Rejected(_id_of(item), pointed(error, below=f"/body/{name}s/{index}"))
    return batch


def _id_of(item: Any) -> str | None:
    id = item.get("id") if isinstance(item, dict) else None
    return id if isinstance(id, str) else None
