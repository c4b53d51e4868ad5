"""A journey: the touchpoints a customer passes, in order, and how the whole of it is rated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from kpi_aggregator.domain.complement import hidden_parts
from kpi_aggregator.domain.figure import Figure, figure, suppressed_beside
from kpi_aggregator.domain.marks import Scope
from kpi_aggregator.domain.period import Days
from kpi_aggregator.domain.settings import KpiSettings
from kpi_aggregator.domain.sums import NOTHING, Sums


@dataclass(frozen=True, slots=True)
class Journey:
    """`touchpoints` in the order they are passed, each once."""

    id: str
    name: str
    touchpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JourneyFigures:
    """A figure of every touchpoint, in order, and one of all their answers together."""

    touchpoints: Sequence[Figure]
    whole: Figure


def journey_figures(
    kpi: str, journey: Journey, days: Days, sums: Mapping[str, Sums], settings: KpiSettings
) -> JourneyFigures:
    """An answer is about one touchpoint, so that the whole is their sum."""
    parts = {touchpoint: sums.get(touchpoint, NOTHING) for touchpoint in journey.touchpoints}
    whole = NOTHING
    for part in parts.values():
        whole = whole.plus(part)
    hidden = hidden_parts({name: part.n for name, part in parts.items()}, min_n=settings.min_n)

    def shown(scope: Scope, of: Sums) -> Figure:
        return figure(kpi, scope, days, of, prior=settings.prior, min_n=settings.min_n)

    figures = [(name, shown(Scope("touchpoint", name, "all"), part)) for name, part in parts.items()]
    return JourneyFigures(
        [suppressed_beside(one) if name in hidden else one for name, one in figures],
        replace(shown(Scope("touchpoint", journey.id, "all"), whole), scope_type="journey"),
    )
