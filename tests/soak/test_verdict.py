"""When a soak says that something grows without bound."""

import pytest
from tests.soak.samples import Sample
from tests.soak.verdict import grows, lines, slope

from fairloop.services import SERVICES

SECONDS = 1_800
EVERY = 5
LEAKING = "survey-intake"


def samples(*, leak: float = 0.0, files: float = 0.0, connections: float = 0.0) -> list[Sample]:
    """Half an hour; `leak` in KiB a minute of the first service, the others in pieces a minute."""
    return [
        Sample(
            at=at,
            memory={
                name: 120_000 + (7 * at) % 900 + int(leak * at / 60 if name == LEAKING else 0)
                for name in SERVICES
            },
            files={name: 40 + int(files * at / 60 if name == LEAKING else 0) for name in SERVICES},
            connections={"bonus": 12 + int(connections * at / 60)},
            rows={},
            lag=0,
        )
        for at in range(0, SECONDS, EVERY)
    ]


def test_what_stays_as_it_is_does_not_grow() -> None:
    assert grows(samples()) == []
    assert all(abs(line.slope) < 10 for line in lines(samples()))


@pytest.mark.parametrize(
    ("growing", "named"),
    [
        ({"leak": 1_000.0}, "KiB a minute"),
        ({"files": 3.0}, "files open"),
        ({"connections": 1.0}, "connections of bonus"),
    ],
)
def test_what_grows_is_named(growing: dict[str, float], named: str) -> None:
    (wrong,) = grows(samples(**growing))
    assert named in wrong


def test_the_warm_up_counts_in_no_slope() -> None:
    warming = samples()
    warming[10] = Sample(50, dict.fromkeys(SERVICES, 1_000_000), dict.fromkeys(SERVICES, 900), {}, {}, 0)
    assert grows(warming) == []


def test_a_slope_is_that_of_the_least_squares() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == 2
    assert slope([(0, 1), (1, 0), (2, 4)]) == 1.5
