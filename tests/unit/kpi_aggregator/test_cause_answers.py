from kpi_aggregator.domain.cause_answers import Naming, difference, finding


def test_detractors_who_explain_themselves_more_often_make_the_influenced_view_lean_down() -> None:
    z = difference(Naming(100, 40), Naming(50, 45))
    assert z is not None
    assert round(z, 4) == -5.8255
    assert finding(z) == (
        "Detractors name a cause more often than promoters: the influenced view leans down. Do not compare it with "
        "targets or history of the view of all answers, and ask promoters for the cause too."
    )


def test_promoters_who_explain_themselves_more_often_flatter_it() -> None:
    z = difference(Naming(50, 45), Naming(100, 40))
    assert z is not None
    assert "leans up" in (finding(z) or "")


def test_a_difference_that_chance_makes_is_no_finding() -> None:
    z = difference(Naming(20, 10), Naming(20, 12))
    assert z is not None
    assert abs(z) < 1.96
    assert finding(z) is None


def test_nothing_is_said_where_nothing_can_be_compared() -> None:
    assert difference(Naming(), Naming(20, 10)) is None
    assert difference(Naming(10, 10), Naming(20, 20)) is None
    assert finding(None) is None
