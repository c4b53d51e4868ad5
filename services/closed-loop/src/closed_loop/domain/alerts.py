"""Alert rules: which answers become a case.

An answer is looked at as named fields with one or more values each. A field the customer left out has none, so
no condition on it holds; a score of 0 is a score.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Op = Literal["<", "<=", ">", ">=", "==", "!=", "in"]
Route = Literal["relationship", "transactional", "dispatch"]
Track = Literal["detractor", "passive", "promoter"]
Value = str | int | float | bool
Answer = Mapping[str, tuple[Value, ...]]
"""Field → its values: `nps`, `csat`, `ces`, `rating.<x>`, `segment.<x>`, `cause` and the like."""

DEFAULT_POLICY = "default"
"""The SLA policy that is always there."""
ORDERED: frozenset[str] = frozenset({"<", "<=", ">", ">="})
_NUMERIC: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """`value` is a list with `in` (one of them), a number with an order, else one value."""

    field: str
    op: Op
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """All conditions must hold. `track` and `route` None: as the score and the kind of survey say."""

    id: str
    version: int
    when: tuple[Condition, ...]
    active: bool = True
    track: Track | None = None
    route: Route | None = None
    watchers: tuple[str, ...] = ()
    method: str | None = None
    required_documentation: tuple[str, ...] = ()
    sla_policy: str = DEFAULT_POLICY
    oversight_owner: str | None = None


def meets(rule: AlertRule, answer: Answer) -> bool:
    """True when all conditions hold; an inactive rule raises no alert even so."""
    return all(holds(condition, answer) for condition in rule.when)


def holds(condition: Condition, answer: Answer) -> bool:
    """One value that satisfies the condition is enough, but for `!=`, which speaks of all of them."""
    values = answer.get(condition.field, ())
    match condition.op:
        case "!=":
            return bool(values) and condition.value not in values
        case "==":
            return condition.value in values
        case "in":
            wanted = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            return any(value in wanted for value in values)
        case _:
            compare = _NUMERIC[condition.op]
            return any(isinstance(value, int | float) and compare(value, condition.value) for value in values)


def track_of(nps: int | None) -> Track:
    """The customary classes of the 0–10 question; an alert without that score is treated as a detractor's."""
    if nps is None or nps <= 6:
        return "detractor"
    return "passive" if nps <= 8 else "promoter"
