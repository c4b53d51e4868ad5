"""Figures that moved: told before a restore, known again after it, and never told anew."""

from tests.integration.kpi_aggregator.test_shifts import fallen, scopes, watch
from tests.integration.repair.dumps import dump, newest, put_back, states, take

from fairloop.testing import Box


async def test_a_lost_shift_is_put_back_as_it_was_told(figures: Box) -> None:
    await fallen(figures)
    await dump(figures)
    await watch(figures)
    log = await put_back(figures)

    assert (await take(figures, log)).changed == 5
    assert await states(figures) == newest(log)
    assert (await take(figures, log)).changed == 0

    await watch(figures)
    assert await scopes(figures) == []  # the outbox went back too: nothing is told a second time


async def test_one_found_again_before_the_repair_is_the_same_one(figures: Box) -> None:
    await fallen(figures)
    await dump(figures)
    await watch(figures)
    log = await put_back(figures)
    await watch(figures)

    assert (await take(figures, log)).changed == 0
    assert await states(figures) == newest(log)
