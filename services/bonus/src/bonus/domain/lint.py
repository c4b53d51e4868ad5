"""What a plan's metrics would make people do: findings to mend, or to waive by name and reason, before it is published.

A plan with a finding can be computed; it is what `plan_rules` lets pass that is judged here.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args

import msgspec

from bonus.domain.money import decimal_text
from bonus.domain.plan import Component, Plan, View
from bonus.domain.snapshot import ORGANISATION

Code = Literal[
    "efficiency_outweighs_customers",
    "cliff",
    "target_not_positive",
    "token_weight",
    "back_office_weighs_more",
    "short_notice",
    "coverage_not_gated",
    "too_few_responses",
    "responses_unknown",
    "unknown_payee",
    "unknown_unit",
]
CODES: tuple[Code, ...] = get_args(Code)

Severity = Literal["blocking", "warning", "notice"]

_ALWAYS_BLOCKING = frozenset({"efficiency_outweighs_customers", "back_office_weighs_more"})
"""They turn a plan against its purpose; the others say that it may be unfair, or is so for the time being."""

READY = 200
"""Responses per unit and period before pay is linked: the half-width of the interval is then about 11 points."""
NOTICE_DAYS = 30
TOKEN = Decimal("0.05")
SHOWN = 5
"""Names in one sentence."""

Asked = tuple[str, str, str, View]
"""KPI, scope type, scope id and view that a readiness is about."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`message` says what would go wrong.

    "notice": shown. "warning": shown, and where publishing is strict it blocks. "blocking": nothing is published with it.
    """

    code: Code
    severity: Severity
    pointer: str
    message: str


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the linter is told about the world.

    `strangers`: payees and units the directory does not know. `customer_facing`: of the roles it knows. `responses`: how
    many there were in the last `days` days, None when too few to be shown; itself None when nobody could be asked.
    """

    stranger_payees: tuple[str, ...] = ()
    stranger_units: tuple[str, ...] = ()
    customer_facing: dict[str, bool] = {}
    responses: dict[Asked, int | None] | None = {}
    days: int = 90


def findings(plan: Plan, known: Known) -> list[Finding]:
    """Everything there is to say about a plan that `plan_rules` lets pass."""
    found = [*_of_notice(plan), *_of_targets(plan), *_of_strangers(known)]
    if plan.mode == "paid":
        found += [
            *_of_efficiency(plan),
            *_of_cliffs(plan),
            *_of_weights(plan),
            *_of_roles(plan, known.customer_facing),
            *_of_coverage(plan),
            *_of_readiness(plan, known),
        ]
    return found


def asked_of(plan: Plan, units: frozenset[str]) -> list[Asked]:
    """The figures whose number of responses decides whether pay may hang on them; `units`: where the payees work."""
    asked: set[Asked] = set()
    for component in _paid(plan):
        asked |= {(component.kpi, *scope, component.view) for scope in _scopes(component, units)}
    return sorted(asked)


def _of_efficiency(plan: Plan) -> Iterator[Finding]:
    efficiency = sum((one.weight for one in plan.other_incentives if one.kind == "efficiency"), Decimal(0))
    customer = 1 - efficiency
    if efficiency > 0 and efficiency >= customer:
        named = ", ".join(one.metric for one in plan.other_incentives if one.kind == "efficiency")
        yield _finding(
            "efficiency_outweighs_customers",
            "/other_incentives",
            f"{decimal_text(100 * efficiency)} % of what these people can earn is for efficiency ({named}) and "
            f"{decimal_text(100 * customer)} % for customers: where a job can be quick or good, it will be quick",
        )


def _of_cliffs(plan: Plan) -> Iterator[Finding]:
    for index, component in enumerate(plan.components):
        jump, at = component.curve.at_threshold, component.curve.threshold
        if jump > 0 and not component.tracked_only:
            yield _finding(
                "cliff",
                f"/components/{index}/curve/at_threshold",
                f"component {component.id} jumps from 0 to {decimal_text(jump)} at {decimal_text(at)}: a tenth of a "
                "point there is worth more than any other, so the last answers will be begged for",
            )
    if plan.scheme == "everyone":
        yield _finding(
            "cliff",
            "/scheme",
            "everyone gets the flat bonus when every component reaches its target, else nothing: one answer can "
            "decide about all of it, and who is far below has no reason to try",
        )


def _of_targets(plan: Plan) -> Iterator[Finding]:
    for index, component in enumerate(plan.components):
        target = component.curve.target
        if target <= 0:
            yield _finding(
                "target_not_positive",
                f"/components/{index}/curve/target",
                f"the target of component {component.id} is {decimal_text(target)}: whoever divides actual by target, "
                "as payroll and HR systems do, pays most for the worst score",
            )


def _of_weights(plan: Plan) -> Iterator[Finding]:
    for index, component in enumerate(plan.components):
        if 0 < component.weight < TOKEN:
            yield _finding(
                "token_weight",
                f"/components/{index}/weight",
                f"component {component.id} weighs {decimal_text(component.weight)}: too little for anybody to act on, "
                "yet it will be read as what management cares about",
            )


def _of_roles(plan: Plan, customer_facing: Mapping[str, bool]) -> Iterator[Finding]:
    """Who meets no customers should not depend more on the own score than who does."""
    by_role = {role: _personal(plan, weights) for role, weights in plan.role_weights.items()}
    facing = [part for role, part in by_role.items() if customer_facing.get(_role(role)) is True]
    least = min(facing, default=_personal(plan, {c.id: c.weight for c in plan.components}))
    for role, part in sorted(by_role.items()):
        if customer_facing.get(_role(role)) is False and part > least:
            yield _finding(
                "back_office_weighs_more",
                f"/role_weights/{role.replace('~', '~0').replace('/', '~1')}",
                f"{role} meets no customers and yet {decimal_text(100 * part)} % of the bonus hangs on the own score, "
                f"more than the {decimal_text(100 * least)} % of those who do: they are paid for what others did",
            )


def _of_notice(plan: Plan) -> Iterator[Finding]:
    if plan.notice_days < NOTICE_DAYS:
        yield _finding(
            "short_notice",
            "/notice_days",
            f"{plan.notice_days} days of notice, {NOTICE_DAYS} are customary: people are judged by a goal that they "
            "could not prepare for",
        )


def _of_coverage(plan: Plan) -> Iterator[Finding]:
    if plan.reliability_mode == "A" and not plan.asks_for_coverage:
        yield _finding(
            "coverage_not_gated",
            "/gates",
            "mode A moves money to the team where answers are few, and nothing watches who is invited to answer: "
            "weak people gain by having few",
        )


def _of_readiness(plan: Plan, known: Known) -> Iterator[Finding]:
    if known.responses is None:
        yield _finding(
            "responses_unknown",
            "/components",
            "nobody could be asked how many responses there are: pay may come to hang on a handful of answers",
        )
        return
    short = {asked: n for asked, n in known.responses.items() if n is None or n < READY}
    for index, component in enumerate(plan.components):
        thin = {
            asked: n for asked, n in short.items() if (asked[0], asked[3]) == (component.kpi, component.view)
        }
        named = [_counted(asked, n) for asked, n in sorted(thin.items()) if _concerns(component, asked)]
        if named and not component.tracked_only:
            more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
            yield _finding(
                "too_few_responses",
                f"/components/{index}",
                f"component {component.id}: {', '.join(named[:SHOWN])}{more} in the last {known.days} days, fewer than "
                f"{READY}: chance moves the score by more than people can, and it would be paid",
            )


def _of_strangers(known: Known) -> Iterator[Finding]:
    for payee in known.stranger_payees:
        message = f"payee {payee} is not an active employee of the directory"
        yield Finding(code="unknown_payee", severity="notice", pointer="/payees", message=message)
    for unit in known.stranger_units:
        message = f"unit {unit} is not in the directory: the organisation's score would stand for it"
        yield Finding(code="unknown_unit", severity="notice", pointer="/components", message=message)


def _paid(plan: Plan) -> list[Component]:
    return [component for component in plan.components if not component.tracked_only]


def _scopes(component: Component, units: frozenset[str]) -> list[tuple[str, str]]:
    """A personal score is judged by its unit: about 200 responses a unit is what makes persons comparable."""
    if component.scope in {"self", "own_unit"}:
        return [("org_unit", unit) for unit in sorted(units)]
    if component.scope.startswith("org_unit:"):
        return [("org_unit", component.scope.removeprefix("org_unit:"))]
    return [("organisation", ORGANISATION)]


def _concerns(component: Component, asked: Asked) -> bool:
    _, scope_type, scope_id, _ = asked
    if component.scope in {"self", "own_unit"}:
        return scope_type == "org_unit"
    return (scope_type, scope_id) in _scopes(component, frozenset())


def _counted(asked: Asked, n: int | None) -> str:
    name = "the organisation" if asked[1] == "organisation" else asked[2]
    return f"{name} has {'too few responses to show' if n is None else f'{n} responses'}"


def _personal(plan: Plan, weights: Mapping[str, Decimal]) -> Fraction:
    return sum((Fraction(weights.get(c.id, Decimal(0))) for c in plan.components if c.personal), Fraction(0))


def _role(name: str) -> str:
    return name.partition("/")[0]


def _finding(code: Code, pointer: str, message: str) -> Finding:
    severity: Severity = "blocking" if code in _ALWAYS_BLOCKING else "warning"
    return Finding(code=code, severity=severity, pointer=pointer, message=message)
