"""What an operator sees of the deadlines, and how long what was told is kept."""

from datetime import timedelta

from prometheus_client import REGISTRY
from tests.integration.closed_loop.world import answer

from closed_loop.main import NOTIFICATIONS
from closed_loop.metrics import measure_timers
from closed_loop.timers import fire_due
from fairloop.db import sql
from fairloop.retention import forget
from fairloop.testing import Box


async def overdue(box: Box) -> float | None:
    async with box.db.begin() as session:
        await measure_timers(session, box.runtime)
    return REGISTRY.get_sample_value("fairloop_timer_overdue_seconds")


async def test_a_timer_that_nobody_fires_is_shown_by_how_late_it_is_until_it_fired(staffed: Box) -> None:
    assert await overdue(staffed) == 0
    await staffed.deliver([answer()])
    assert await overdue(staffed) == 0
    staffed.clock.advance(timedelta(hours=3, seconds=90))  # the warning was due 90 s ago
    assert await overdue(staffed) == 90
    fired = REGISTRY.get_sample_value("fairloop_timer_fired_late_seconds_sum") or 0
    await fire_due(staffed.db, staffed.clock)
    assert await overdue(staffed) == 0
    assert REGISTRY.get_sample_value("fairloop_timer_fired_late_seconds_sum") == fired + 90


async def test_notifications_go_long_after_the_case_was_closed_and_not_before(staffed: Box) -> None:
    await staffed.deliver([answer(1), answer(2)])
    settings = staffed.runtime.settings
    later = staffed.clock.now + timedelta(days=settings.keep_notification_days, hours=1)
    assert await forget(staffed.db, NOTIFICATIONS, settings, later) == 0
    async with staffed.db.begin() as session:
        ((case_id, told),) = await sql(
            session,
            "UPDATE customer_case SET status = 'closed' WHERE id = (SELECT id FROM customer_case LIMIT 1)"
            " RETURNING id, (SELECT count(*) FROM notification WHERE case_id = customer_case.id)",
        )
    assert told > 0
    assert await forget(staffed.db, NOTIFICATIONS, settings, later - timedelta(hours=2)) == 0
    assert await forget(staffed.db, NOTIFICATIONS, settings, later) == told
    async with staffed.db.begin() as session:
        left = await sql(session, "SELECT DISTINCT case_id FROM notification")
    assert case_id not in {row[0] for row in left}
    assert len(left) == 1
