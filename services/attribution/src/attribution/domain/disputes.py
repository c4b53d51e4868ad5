"""Disputes about one person's part in one response: who may decide, and what an upheld one changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from attribution.domain.decision import Upheld

Kind = Literal["not_my_customer", "not_my_cause", "wrong_interaction", "other"]
State = Literal["open", "upheld", "rejected"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A dispute as far as rules look at it. `claimant_sub` is the login the employee filed it with, None when
    somebody filed it for them."""

    employee: str
    kind: Kind
    state: State = "open"
    claimant_sub: str | None = None


def is_claimant(claim: Claim, *, sub: str, employee: str | None) -> bool:
    """True for the person the dispute is about, by employee id or by the login they filed it with."""
    return employee == claim.employee or sub == claim.claimant_sub


def upheld_among(claims: Iterable[Claim]) -> Upheld:
    """What the decisions about one response change in its ledger."""
    upheld = [claim for claim in claims if claim.state == "upheld"]
    return Upheld(
        not_my_customer=frozenset(c.employee for c in upheld if c.kind == "not_my_customer"),
        not_my_cause=frozenset(c.employee for c in upheld if c.kind == "not_my_cause"),
    )
