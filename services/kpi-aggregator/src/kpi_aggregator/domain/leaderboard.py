"""Ranks that claim no more than the intervals do."""

from collections.abc import Iterable

import msgspec

from kpi_aggregator.domain.figure import Figure


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Who shares a rank is in no order: ids only."""

    rank: int
    figure: Figure


def leaderboard(figures: Iterable[Figure]) -> list[Place]:
    """Best first. Figures whose intervals overlap, directly or through others between them, share a rank.

    Suppressed figures, and those without an interval, have no place. The rank is one more than the number of those
    who are better.
    """
    ranked = [figure for figure in figures if figure.ci95 is not None and not figure.suppressed]
    ranked.sort(key=lambda one: (-_interval(one)[1], one.scope_id))
    places: list[Place] = []
    floor = 0.0
    for count, figure in enumerate(ranked, start=1):
        low, high = _interval(figure)
        together = bool(places) and high >= floor
        rank = places[-1].rank if together else count
        floor = min(floor, low) if together else low
        places.append(Place(rank=rank, figure=figure))
    return sorted(places, key=lambda place: (place.rank, place.figure.scope_id))


def _interval(figure: Figure) -> tuple[float, float]:
    assert figure.ci95 is not None
    return figure.ci95
