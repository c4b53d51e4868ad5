"""What an approved payout would be with the corrections made since. The approved run itself never changes."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bonus.domain.evidence import people
from bonus.domain.plan import Plan
from bonus.domain.settlement import Settled, settle
from bonus.domain.snapshot import Changed, Figures
from bonus.domain.standing import Standing


class Cause(msgspec.Struct, frozen=True, kw_only=True, order=True):
    response_id: str
    kind: str


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """A line for the next period. `released_minor`: held at the approval, to be paid since the plan was accepted."""

    employee: str
    approved_minor: int
    corrected_minor: int
    difference_minor: int
    released_minor: int
    currency: str
    reasons: tuple[Cause, ...]


def adjustments(
    plan: Plan,
    standing: Standing,
    approved: Sequence[Settled],
    figures: Figures,
    *,
    changed: Iterable[Changed],
    accepted_since: set[str],
) -> list[Adjustment]:
    """Replay the sealed run on corrected figures; a line for everybody who is touched, even when by nothing.

    The reasons are the changed responses of the person's own; who has none but is paid differently (through a
    unit's score, or a pool) gets all of them.
    """
    replayed, _ = settle(plan, standing, figures)
    corrected = {one.employee: one.payout for one in replayed}
    everything = list(changed)
    own = _by_person(everything)
    lines = []
    for paid in approved:
        employee = paid.employee
        difference = corrected[employee] - paid.payout
        released = paid.held if employee in accepted_since else 0
        if difference == 0 and released == 0 and employee not in own:
            continue
        reasons = own.get(employee) or ({_cause(one) for one in everything} if difference else set())
        lines.append(
            Adjustment(
                employee=employee,
                approved_minor=paid.payout,
                corrected_minor=corrected[employee],
                difference_minor=difference,
                released_minor=released,
                currency=plan.currency,
                reasons=tuple(sorted(reasons)),
            )
        )
    return lines


def _by_person(changed: Iterable[Changed]) -> Mapping[str, set[Cause]]:
    found: dict[str, set[Cause]] = {}
    for one in changed:
        sides = [side for side in (one.before, one.after) if side is not None]
        for employee in set().union(*(people(side) for side in sides)):
            found.setdefault(employee, set()).add(_cause(one))
    return found


def _cause(one: Changed) -> Cause:
    return Cause(response_id=one.response_id, kind=one.kind)
