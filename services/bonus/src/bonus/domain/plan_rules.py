"""What makes a plan impossible to publish, beyond its shape."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from msgspec import UNSET

from bonus.domain.curve import Curve
from bonus.domain.plan import Component, Coverage, OrganisationKpi, Payee, Plan

ROLE = re.compile(r"[A-Za-z0-9._:-]{1,128}(/[^/]{1,128})?")
SCOPE = re.compile(r"self|own_unit|organisation|org_unit:[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the JSON pointer into the plan where."""

    pointer: str
    detail: str


def problems(plan: Plan) -> list[Problem]:
    """Everything that is wrong with the plan; empty when it may be used."""
    return [*_of_scheme(plan), *_of_components(plan), *_of_gates(plan), *_of_weights(plan), *_of_payees(plan)]


def _of_scheme(plan: Plan) -> Iterator[Problem]:
    if plan.scheme == "everyone" and plan.flat_bonus_minor is None:
        yield Problem("/flat_bonus_minor", "the scheme 'everyone' needs a flat bonus")
    if plan.scheme == "pool" and plan.pool_minor is None:
        yield Problem("/pool_minor", "the scheme 'pool' needs a pool")
    if plan.reliability_mode == "B" and plan.scheme == "everyone":
        yield Problem("/reliability_mode", "mode B pays by parts, the scheme 'everyone' all or nothing")
    if plan.reliability_mode == "B" and not plan.asks_for_coverage:
        yield Problem(
            "/gates",
            "mode B rewards weak people for having few responses: it needs the gate 'coverage'",
        )
    if (other := sum((one.weight for one in plan.other_incentives), Decimal(0))) >= 1:
        yield Problem(
            "/other_incentives", f"they weigh {other} of all pay, which leaves nothing for this plan"
        )


def _of_components(plan: Plan) -> Iterator[Problem]:
    for index, component in enumerate(plan.components):
        at = f"/components/{index}"
        if not SCOPE.fullmatch(component.scope):
            yield Problem(f"{at}/scope", "must be self, own_unit, org_unit:<id> or organisation")
        if component.personal and plan.scheme == "team" and not component.tracked_only:
            yield Problem(f"{at}/scope", "the scheme 'team' pays no personal scores")
        if component.tracked_only and component.weight:
            yield Problem(f"{at}/weight", "a component that is not paid has no weight")
        if component.segments is not UNSET and not component.segments.label:
            yield Problem(f"{at}/segments", "names no segment to require or exclude")
        if component.fallback is not None and not _may_fall_back(component):
            yield Problem(f"{at}/fallback", f"a component of scope {component.scope} cannot fall back there")
        yield from _of_curve(component.curve, plan, f"{at}/curve")
    for id in _repeated(component.id for component in plan.components):
        yield Problem("/components", f"more than one component is called {id}")


def _may_fall_back(component: Component) -> bool:
    return component.personal or (component.fallback == "organisation" and component.scope != "organisation")


def _of_curve(curve: Curve, plan: Plan, at: str) -> Iterator[Problem]:
    if not curve.threshold < curve.target < curve.excellence:
        yield Problem(at, "threshold < target < excellence is required")
    if not 0 <= curve.at_threshold <= 1:
        yield Problem(f"{at}/at_threshold", "must lie between 0 and 1")
    if curve.cap < 1:
        yield Problem(f"{at}/cap", "must be at least 1")
    if plan.scheme == "overachievement" and curve.cap == 1:
        yield Problem(f"{at}/cap", "the scheme 'overachievement' needs a cap above 1")


def _of_gates(plan: Plan) -> Iterator[Problem]:
    for index, gate in enumerate(plan.gates):
        at = f"/gates/{index}"
        if isinstance(gate, Coverage) and not 0 < gate.minimum <= 1:
            yield Problem(f"{at}/minimum", "must be a share above 0 and at most 1")
        if isinstance(gate, OrganisationKpi):
            if (gate.effect == "scale") != (gate.factor is not None):
                yield Problem(f"{at}/factor", "is what the effect 'scale', and only that, needs")
            elif gate.factor is not None and not 0 <= gate.factor <= 1:
                yield Problem(f"{at}/factor", "must lie between 0 and 1")
    kinds = [type(gate).__name__ for gate in plan.gates if not isinstance(gate, OrganisationKpi)]
    if any(_repeated(kinds)):
        yield Problem("/gates", "only organisation_kpi may appear more than once")


def _of_weights(plan: Plan) -> Iterator[Problem]:
    known = {component.id for component in plan.components if not component.tracked_only}
    if not known:
        yield Problem("/components", "none of them is paid: choose the mode 'track_only'")
    elif (total := sum((c.weight for c in plan.components), Decimal(0))) != 1:
        yield Problem("/components", f"the weights sum to {total}, not to 1")
    for role, weights in plan.role_weights.items():
        if not ROLE.fullmatch(role):
            yield Problem(
                f"/role_weights/{_escaped(role)}", "must be a role, or a role and a level as role/level"
            )
        yield from _of_special(weights, known, f"/role_weights/{_escaped(role)}")


def _escaped(name: str) -> str:
    """As RFC 6901 writes a name in a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _of_special(weights: Mapping[str, Decimal], known: set[str], at: str) -> Iterator[Problem]:
    yield from (Problem(f"{at}/{id}", "no such paid component") for id in weights if id not in known)
    if (total := sum(weights.values(), Decimal(0))) != 1:
        yield Problem(at, f"the weights sum to {total}, not to 1")


def _of_payees(plan: Plan) -> Iterator[Problem]:
    known = {component.id for component in plan.components if not component.tracked_only}
    for index, payee in enumerate(plan.payees):
        at = f"/payees/{index}"
        if _backwards(payee):
            yield Problem(f"{at}/to", "must lie after from")
        if payee.weights:
            yield from _of_special(payee.weights, known, f"{at}/weights")
    for employee in _repeated(payee.employee for payee in plan.payees):
        yield Problem("/payees", f"{employee} appears more than once")


def _backwards(payee: Payee) -> bool:
    return payee.start is not None and payee.end is not None and payee.end <= payee.start


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
