"""What of an answer is a win, and whose."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from closed_loop.domain.case import Case, is_open
from closed_loop.domain.routing import is_unit

Kind = Literal["thanks", "promoter", "recovered"]

RECOVERED = "recovered"
"""Of the outcomes a detractor's playbook names."""

_NAMESPACE = UUID("5d2f6c1e-8a0b-5c53-9f0f-2a3f7f3e9b11")


@dataclass(frozen=True, slots=True)
class Influence:
    """One line of the ledger: how much of a cause (in millionths) was a person's."""

    employee: str
    share: int
    cause: str | None
    org_unit: str | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A detractor's case that is settled, and since when."""

    case_id: UUID
    owner: str
    org_unit: str | None
    at: datetime


def is_promoter(nps: int | None) -> bool:
    """9 or 10 of 10."""
    return nps is not None and nps >= 9


def praised(nps: int | None, influences: Iterable[Influence]) -> list[Influence]:
    """Those whose influence on a named cause a promoter praises; each once, with the cause they had most share in."""
    if not is_promoter(nps):
        return []
    best: dict[str, Influence] = {}
    for one in influences:
        if one.cause is None or one.share <= 0:
            continue
        held = best.get(one.employee)
        if held is None or (one.share, held.cause or "") > (held.share, one.cause):
            best[one.employee] = one
    return [best[employee] for employee in sorted(best)]


def won_back(cases: Iterable[Resolved], *, answered_at: datetime) -> list[Resolved]:
    """The cases whose customer answered as a promoter after they had been settled: each owner's win."""
    return [case for case in cases if case.at < answered_at and not is_unit(case.owner)]


def is_recovery(case: Case) -> bool:
    """A detractor's case that somebody in person settled with the outcome "recovered"."""
    settled = not is_open(case) and not case.erased
    return settled and case.track == "detractor" and case.result == RECOVERED and not is_unit(case.owner)


def promoter_win_id(response_id: UUID, employee: str) -> UUID:
    """The same for every version of the answer."""
    return uuid5(_NAMESPACE, f"{response_id}/{employee}")


def recovery_id(case_id: UUID) -> UUID:
    """A customer is won back once for a case."""
    return uuid5(_NAMESPACE, f"{case_id}")
