from datetime import date

from closed_loop.domain.adoption import HIDDEN, Seen, months, share, within


def seen(employee: str, *, shown: bool = True, on: date = date(2026, 3, 2)) -> Seen:
    return Seen(employee=employee, behaviour="greets", on=on, shown=shown)


def test_the_share_of_observations_that_showed_a_behaviour_has_wilsons_interval() -> None:
    found = share([seen("m1", shown=n < 6) for n in range(10)], of_group=False)
    assert (found.n, found.people, found.shown, found.share) == (10, 1, 6, "0.6000")
    assert found.ci95 == ("0.3127", "0.8318")


def test_a_group_shows_nothing_that_would_be_about_one_person() -> None:
    assert share([seen("m1")] * 9, of_group=True) == HIDDEN
    assert share([seen("m1"), seen("m2"), seen("m3")], of_group=True) == HIDDEN
    assert share([seen("m1"), seen("m2"), seen("m3")] * 2, of_group=True).n == 6


def test_without_observations_there_is_no_share() -> None:
    found = share([], of_group=False)
    assert (found.n, found.share, found.suppressed) == (0, None, False)


def test_months_are_cut_to_the_days_asked_for() -> None:
    assert list(months(date(2025, 12, 10), date(2026, 2, 5))) == [
        (date(2025, 12, 10), date(2026, 1, 1)),
        (date(2026, 1, 1), date(2026, 2, 1)),
        (date(2026, 2, 1), date(2026, 2, 5)),
    ]
    held = [seen("m1", on=date(2026, 1, 31)), seen("m1", on=date(2026, 2, 1))]
    assert within(held, (date(2026, 2, 1), date(2026, 2, 5))) == [held[1]]
