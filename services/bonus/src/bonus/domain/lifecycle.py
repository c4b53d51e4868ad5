"""The states of a period and of its runs, and who may move them."""

from collections.abc import Mapping
from typing import Literal

PeriodStatus = Literal["open", "calculating", "in_review", "approved", "paid"]
RunStatus = Literal["in_review", "superseded", "approved", "paid"]

CLOSED: frozenset[str] = frozenset({"approved", "paid"})


def refusal_to_calculate(status: PeriodStatus) -> str | None:
    """Why a period cannot be calculated; None when it can."""
    if status in CLOSED:
        return f"the period is {status}: later corrections are adjustments for the next one"
    return None


def refusal_to_approve(
    status: RunStatus, frozen: Mapping[str, str], announced: Mapping[str, str]
) -> str | None:
    """Why a run cannot be approved. `frozen`, `announced`: snapshot → content hash, as read and as published."""
    if status != "in_review":
        return f"the run is {status}; only a run in review can be approved"
    wrong = [id for id, digest in frozen.items() if announced.get(id, digest) != digest]
    if wrong:
        return f"snapshot {wrong[0]} is not the one that was announced; calculate again"
    return None


def refusal_to_pay(status: RunStatus) -> str | None:
    """Why a run cannot be marked as paid."""
    return None if status == "approved" else f"the run is {status}; only an approved run can be paid"
