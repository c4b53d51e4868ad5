"""Parts beside a whole that is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_aggregator.domain.complement import hidden_parts


@pytest.mark.parametrize(
    ("parts", "hidden"),
    [
        ({"a": 10, "b": 7}, set()),
        ({"a": 10, "b": 7, "c": 4}, {"c", "b"}),
        ({"a": 10, "b": 3, "c": 2}, {"b", "c"}),
        ({"a": 10, "b": 6, "c": 2, "d": 1}, {"c", "d", "b"}),
        ({"a": 10, "b": 4, "c": 0}, {"a", "b"}),
        ({"a": 4}, {"a"}),
        ({"a": 10, "b": 0}, set()),
    ],
)
def test_a_small_part_takes_the_smallest_others_with_it_until_nobody_can_subtract(
    parts: dict[str, int], hidden: set[str]
) -> None:
    assert hidden_parts(parts, min_n=5) == hidden


@given(parts=st.dictionaries(st.text(max_size=2), st.integers(0, 20), max_size=8), min_n=st.integers(1, 10))
def test_what_the_whole_leaves_to_the_hidden_is_never_a_small_group(
    parts: dict[str, int], min_n: int
) -> None:
    hidden = hidden_parts(parts, min_n=min_n)
    rest = sum(parts[name] for name in hidden)
    assert all(name in hidden for name, n in parts.items() if 0 < n < min_n)
    assert rest == 0 or rest >= min_n or hidden == {name for name, n in parts.items() if n > 0}
