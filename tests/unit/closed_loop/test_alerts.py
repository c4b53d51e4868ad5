"""Which answers raise an alert."""

import pytest

from closed_loop.domain.alerts import AlertRule, Answer, Condition, Op, Value, meets, track_of

ANSWER: Answer = {
    "nps": (0,),
    "rating.hygiene": (2,),
    "segment.branch": ("north",),
    "cause": ("window_replacement", "quality", "speed"),
}


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("nps", "<=", 6, True),
        ("nps", "<", 0, False),
        ("nps", ">=", 0, True),
        ("nps", ">", 0, False),
        ("nps", "==", 0, True),
        ("nps", "!=", 0, False),
        ("csat", "<=", 5, False),
        ("csat", "!=", 5, False),
        ("rating.hygiene", "<=", 2, True),
        ("segment.branch", "==", "north", True),
        ("segment.branch", "<=", 3, False),
        ("segment.branch", "in", ("south", "north"), True),
        ("segment.branch", "in", ("south",), False),
        ("cause", "==", "speed", True),
        ("cause", "!=", "speed", False),
        ("cause", "!=", "price", True),
        ("cause", "in", ("price", "quality"), True),
    ],
)
def test_a_condition_holds_or_not(
    field: str, op: Op, value: Value | tuple[Value, ...], expected: bool
) -> None:
    assert meets(AlertRule(id="r", version=1, when=(Condition(field, op, value),)), ANSWER) is expected


def test_all_conditions_must_hold() -> None:
    hygiene, branch = Condition("rating.hygiene", "<=", 2), Condition("segment.branch", "==", "south")
    assert meets(AlertRule(id="r", version=1, when=(hygiene,)), ANSWER)
    assert not meets(AlertRule(id="r", version=1, when=(hygiene, branch)), ANSWER)


def test_the_track_follows_the_customary_classes() -> None:
    assert [track_of(nps) for nps in (None, 0, 6, 7, 8, 9, 10)] == [
        *["detractor"] * 3,
        *["passive"] * 2,
        *["promoter"] * 2,
    ]
