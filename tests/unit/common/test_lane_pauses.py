"""Between the tries of a batch there are pauses, but before the one that parks it, and after that one too."""

import asyncio

from fairloop.batch import Attempt
from fairloop.db import Database
from fairloop.lanes import Lane, _Pauses
from fairloop.log.port import TopicPartition
from fairloop.poison import TRIES, Breaker


async def test_a_batch_that_cannot_even_be_parked_is_tried_again_with_pauses() -> None:
    lane = Lane(
        service="counting",
        partition=TopicPartition("directory.v1", 0),
        db=Database("postgresql://unused"),
        handlers={},
        next_offset=0,
        on_halt=lambda partition, reason: None,
        on_room=lambda partition: None,
    )
    attempt, paused = Attempt(Breaker()), []
    for _ in range(TRIES + 2):
        error = RuntimeError("not to be mended by waiting")
        pause = asyncio.create_task(lane._before_next_try(error, attempt, _Pauses()))
        done, waiting = await asyncio.wait({pause}, timeout=0.05)
        paused.append(not done)
        for one in waiting:
            one.cancel()
    await lane.close(1)
    assert paused == [True] * (TRIES - 1) + [False, True, True]
