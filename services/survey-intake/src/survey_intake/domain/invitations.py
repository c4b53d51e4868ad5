"""What posting an invitation does to the one held under the same id."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["accepted", "duplicate", "corrected", "ignored"]
TroubleKind = Literal["bounced", "edited"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """The address or number bounced, or was edited."""

    kind: TroubleKind
    at: datetime


@dataclass(frozen=True, slots=True)
class PostedInvitation:
    """An invitation as its sender tells it. `customer` is the keyed hash; not sent yet, or never: no `sent_at`."""

    id: str
    interaction: str
    customer: str
    channel: str
    eligible_at: datetime
    sent_at: datetime | None = None
    troubles: tuple[Trouble, ...] = ()


Standing = PostedInvitation | Literal["retracted"]
"""What is held of an id; "retracted": deleted, or its customer is forgotten."""


def outcomes(
    posted: Sequence[PostedInvitation], held: Mapping[str, Standing], erased: Collection[str]
) -> list[Outcome]:
    """One per posted item, in order; a later item of one id is compared with the earlier one.

    Nothing is taken of a customer who is forgotten (`erased`), nor of an invitation that was taken back.
    """
    newest = dict(held)
    results: list[Outcome] = []
    for item in posted:
        before = newest.get(item.id)
        if item.customer in erased or before == "retracted":
            results.append("ignored")
            continue
        newest[item.id] = item
        if before is None:
            results.append("accepted")
        else:
            results.append("duplicate" if before == item else "corrected")
    return results
