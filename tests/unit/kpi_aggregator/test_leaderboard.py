"""Ranks that claim no more than the intervals do."""

from datetime import date

from msgspec.structs import replace

from kpi_aggregator.domain.figure import Figure, Window
from kpi_aggregator.domain.leaderboard import leaderboard


def scored(id: str, low: float, high: float) -> Figure:
    window = Window(date(2026, 1, 1), date(2026, 4, 1))
    return Figure(
        kpi="nps",
        scope_type="employee",
        scope_id=id,
        view="all",
        window=window,
        value=(low + high) / 2,
        ci95=(low, high),
        suppressed=False,
        reason="",
    )


def ranks(*figures: Figure) -> list[tuple[int, str]]:
    return [(place.rank, place.figure.scope_id) for place in leaderboard(figures)]


def test_overlapping_intervals_share_a_rank_and_stand_by_id() -> None:
    assert ranks(scored("b", 40, 80), scored("a", 20, 60), scored("c", -50, 10)) == [
        (1, "a"),
        (1, "b"),
        (3, "c"),
    ]


def test_who_overlaps_through_somebody_between_shares_the_rank_too() -> None:
    assert ranks(scored("a", 50, 90), scored("b", 30, 55), scored("c", 0, 35)) == [
        (1, "a"),
        (1, "b"),
        (1, "c"),
    ]


def test_a_narrow_one_inside_a_wide_one_is_not_ahead_of_it() -> None:
    assert ranks(scored("wide", 0, 100), scored("narrow", 80, 85), scored("low", 1, 5)) == [
        (1, "low"),
        (1, "narrow"),
        (1, "wide"),
    ]


def test_who_is_suppressed_has_no_place() -> None:
    hidden = replace(scored("b", 0, 1), suppressed=True, ci95=None, value=None)
    assert ranks(scored("a", 40, 80), hidden) == [(1, "a")]
