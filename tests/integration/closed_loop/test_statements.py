"""A batch costs few statements, and as many for one answer as for many."""

import pytest
from tests.integration.closed_loop.world import answer, cases, only_case
from tests.integration.statements import statements

from fairloop.db import sql
from fairloop.testing import Box

TO_LOOK = 1
"""What was seen, what is held, what is in force: in one."""
TO_FOLLOW_UP = 4
"""That, the directory, everything about the cases, publish."""
TO_PRAISE = 2
"""Promoters only: the customers' settled cases, the wins."""
TO_TAKE_BACK = 1
"""An answer in a newer version: wins it no longer is."""
TO_TELL = 1
"""Who subscribes to cases."""


@pytest.mark.parametrize("size", [1, 400])
async def test_a_batch_of_any_size_costs_the_same_few_statements(staffed: Box, size: int) -> None:
    happy = [answer(number, 9) for number in range(size)]
    unhappy = [answer(number, 2, version=2) for number in range(size)]
    revised = [answer(number, 4, version=3) for number in range(size)]
    spent = []
    for batch in (happy, unhappy, revised, revised):
        async with statements(staffed.db) as sent:
            await staffed.deliver(batch)
        spent.append(len(sent))
    follow_up = TO_FOLLOW_UP + TO_TAKE_BACK + TO_TELL
    assert spent == [TO_LOOK + TO_PRAISE, follow_up, follow_up, TO_LOOK]
    assert {case["scores"]["nps"] for case in await cases(staffed)} == {4}


async def test_rules_are_those_of_the_database_whoever_changes_them(staffed: Box) -> None:
    await staffed.deliver([answer(1, 3)])
    async with staffed.db.begin() as session:  # as another process does, or an operator by hand
        await sql(session, "UPDATE alert_rule SET document = document || '{\"active\": false}'")
    await staffed.deliver([answer(2, 3)])
    assert (await only_case(staffed))["response_id"] == str(answer(1).response_id)
