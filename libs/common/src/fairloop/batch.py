"""One batch of one partition, in one transaction: effects, receipt, position and outgoing events, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from fairloop.db import is_transient
from fairloop.dispatch import dispatch
from fairloop.log.port import TopicPartition
from fairloop.parking import BLOCKED, Failure, park, parked_keys
from fairloop.poison import TRIES, Breaker, Reject, describe
from fairloop.receipts import Position, lock_position, prove_repeats, sift, store_position
from fairloop.service import Handlers
from fairloop.tracing import Processing
from fairloop.wire import Delivery


@dataclass(slots=True)
class Attempt:
    """How a batch is being tried: the count of unknown errors so far decides how careful the next try is.

    `unblocked_at` is a position at which no key was waiting behind a parked event. Parking moves the position, and a
    retry or discard only lets go, so as long as the position is that one, still none is. `processing` has the spans
    of a batch with traced events.
    """

    breaker: Breaker
    unblocked_at: Position | None = None
    processing: Processing | None = None
    tries: int = 0
    careful: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch."""

    applied: int
    parked: int
    repeated: int
    unblocked_at: Position | None
    """As in Attempt, for the next batch."""


@dataclass(slots=True)
class _Sorting:
    """The fresh events of a batch on their way into handlers or parking. A failed key blocks its later events."""

    blocked_keys: set[str]
    breaker: Breaker
    park_unknown: bool
    tries: int
    failures: list[Failure] = field(default_factory=list)

    def runnable(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those that may be tried now; the others are set down as failures."""
        able: list[Delivery] = []
        for delivery in deliveries:
            if delivery.key in self.blocked_keys:
                self.failures.append(Failure(delivery, BLOCKED, "waits behind a parked event of its key", 0))
            elif delivery.fault is not None:
                self.fail(delivery, ValueError(delivery.fault), "undecodable")
            else:
                able.append(delivery)
        return able

    def fail(self, delivery: Delivery, error: Exception, error_class: str) -> None:
        self.breaker.failed(error)
        self.blocked_keys.add(delivery.key)
        self.failures.append(Failure(delivery, error_class, describe(error), self.tries))


async def apply_batch(
    session: AsyncSession,
    partition: TopicPartition,
    deliveries: Sequence[Delivery],
    handlers: Handlers,
    attempt: Attempt,
) -> Outcome:
    """Take a batch, in the session's transaction.

    Raises HaltError and TooManyParkedError (stop the partition), transient errors (try the same again), and any
    other error of a handler: try again, carefully once it is a Reject or has come TRIES times.
    """
    if attempt.processing is not None:
        attempt.processing.begin(session)
    position = await lock_position(session, partition)
    sifted = sift(deliveries, position)
    await prove_repeats(session, partition, sifted.repeats)
    blocked = set() if attempt.unblocked_at == position else await parked_keys(session, partition)
    sorting = _Sorting(
        blocked_keys=blocked,
        breaker=attempt.breaker,
        park_unknown=attempt.tries >= TRIES,
        tries=attempt.tries,
    )
    runnable = sorting.runnable(sifted.fresh)
    if attempt.careful:
        await _apply_carefully(session, handlers, runnable, sorting)
    else:
        await dispatch(
            session, handlers, [delivery.data for delivery in runnable if delivery.data is not None]
        )
        attempt.breaker.applied(len(runnable))
    await park(session, sorting.failures)
    await store_position(session, partition, position, sifted)
    return Outcome(
        applied=len(sifted.fresh) - len(sorting.failures),
        parked=len(sorting.failures),
        repeated=len(deliveries) - len(sifted.fresh),
        unblocked_at=None if sorting.blocked_keys else Position(sifted.next_offset, sifted.hw_pseq),
    )


async def _apply_carefully(
    session: AsyncSession, handlers: Handlers, deliveries: Sequence[Delivery], sorting: _Sorting
) -> None:
    """Bisect: each half in a savepoint, in log order, down to the single events that fail."""
    able = [delivery for delivery in deliveries if delivery.key not in sorting.blocked_keys]
    if len(able) < len(deliveries):
        able = sorting.runnable(deliveries)
    if not able:
        return
    try:
        async with session.begin_nested():
            await dispatch(
                session, handlers, [delivery.data for delivery in able if delivery.data is not None]
            )
    except Exception as error:
        if is_transient(error):
            raise
        if len(able) > 1:
            middle = len(able) // 2
            await _apply_carefully(session, handlers, able[:middle], sorting)
            await _apply_carefully(session, handlers, able[middle:], sorting)
        elif isinstance(error, Reject) or sorting.park_unknown:
            sorting.fail(able[0], error, "rejected" if isinstance(error, Reject) else type(error).__name__)
        else:
            raise
    else:
        sorting.breaker.applied(len(able))
