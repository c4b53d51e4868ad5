"""Which figures decide a component for one payee, and with what part: person, units by days, organisation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from bonus.domain.missing import MissingFigureError
from bonus.domain.plan import Component, Plan, View
from bonus.domain.snapshot import Figure, Figures, reliability


@dataclass(frozen=True, slots=True)
class Source:
    """A figure that can be paid on (it has a score) and its part of the component, 0…1."""

    figure: Figure
    part: Fraction

    @property
    def score(self) -> Decimal:
        score = self.figure.score
        assert score is not None
        return score


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payee stands: the units worked in, by part of the days, and components with too few responses."""

    employee: str
    units: Mapping[str, Fraction]
    thin: frozenset[str] = frozenset()


def sources(
    component: Component, place: Place, figures: Figures, *, plan: Plan, view: View, shrink: bool = True
) -> tuple[Source, ...]:
    """The figures behind one component; their parts sum to 1.

    A personal score keeps the part λ: 1 without mode A, 0 when it is missing, suppressed or thin.
    The rest falls back to the own unit and from there, when that is suppressed too, to the organisation.
    With `shrink` off, λ is 1 wherever there is a personal score.
    """
    if not component.personal:
        return shared_sources(component.scope, component, place, figures, view)
    own = figures.employee(component.measure, place.employee, view)
    kept = Fraction(0)
    if own is not None and own.score is not None:
        kept = _kept(own, component, plan, place, figures) if shrink else Fraction(1)
    rest = (
        shared_sources(component.fallback or "own_unit", component, place, figures, view) if kept < 1 else ()
    )
    spread = [Source(source.figure, source.part * (1 - kept)) for source in rest]
    return (Source(own, kept), *spread) if own is not None and kept > 0 else tuple(spread)


def _kept(own: Figure, component: Component, plan: Plan, place: Place, figures: Figures) -> Fraction:
    """λ; a replay in another view than the plan's, where none is known, takes the λ of the plan's view."""
    if component.id in place.thin:
        return Fraction(0)
    if plan.reliability_mode != "A":
        return Fraction(1)
    if reliability(own) is None:
        return kept_part(figures.employee(component.measure, place.employee, component.view) or own)
    return kept_part(own)


def kept_part(own: Figure) -> Fraction:
    """λ of a personal score, as mode A takes it. Raises MissingFigureError when there is none."""
    weight = reliability(own)
    if weight is None:
        raise MissingFigureError(
            f"there is no reliability for the {own.kpi} of {own.scope_id}: set a prior in the KPI's settings"
        )
    return weight


def shared_sources(
    scope: str, component: Component, place: Place, figures: Figures, view: View
) -> tuple[Source, ...]:
    """The figures behind a scope that is not the person; their parts sum to 1."""
    if scope == "own_unit":
        return _by_days(place.units, component, figures, view)
    if scope.startswith("org_unit:"):
        return (
            Source(
                _unit_or_organisation(scope.removeprefix("org_unit:"), component, figures, view), Fraction(1)
            ),
        )
    return (Source(_organisation(component, figures, view), Fraction(1)),)


def _by_days(
    units: Mapping[str, Fraction], component: Component, figures: Figures, view: View
) -> tuple[Source, ...]:
    if not units:
        return (Source(_organisation(component, figures, view), Fraction(1)),)
    found = [
        Source(_unit_or_organisation(unit, component, figures, view), part) for unit, part in units.items()
    ]
    return _merged(found) if len(found) > 1 else tuple(found)


def _merged(found: Iterable[Source]) -> tuple[Source, ...]:
    """One source a figure: several suppressed units all stand for the organisation."""
    parts: dict[tuple[str, str], Source] = {}
    for source in found:
        key = (source.figure.scope_type, source.figure.scope_id)
        before = parts[key].part if key in parts else Fraction(0)
        parts[key] = Source(source.figure, before + source.part)
    return tuple(parts.values())


def _unit_or_organisation(unit: str, component: Component, figures: Figures, view: View) -> Figure:
    figure = figures.unit(component.measure, unit, view)
    if figure is not None and figure.score is not None:
        return figure
    return _organisation(component, figures, view)


def _organisation(component: Component, figures: Figures, view: View) -> Figure:
    figure = figures.organisation(component.measure, view)
    if figure is None or figure.score is None:
        raise MissingFigureError(
            f"component {component.id}: even the organisation has no {component.measure} to pay on"
        )
    return figure
