"""A batch costs few statements, and as many for one response as for many."""

import pytest
from tests.integration.kpi_aggregator.facts import answered, directory, figure, proof, result
from tests.integration.statements import statements

from fairloop.testing import Box

PER_BATCH = 3
"""What is held, the units above, contributions and buckets."""


@pytest.mark.parametrize("size", [1, 400])
async def test_a_batch_of_any_size_costs_the_same_few_statements(box: Box, size: int) -> None:
    await box.deliver(directory())
    fresh = [result(answered(number, 9)) for number in range(1, size + 1)]
    revised = [result(answered(number, 3, version=2)) for number in range(1, size + 1)]
    spent = []
    for batch in (fresh, revised, revised):
        async with statements(box.db) as sent:
            await box.deliver(batch)
        spent.append(len(sent))
    assert spent == [PER_BATCH, PER_BATCH, 1]
    assert (await proof(box))["equal"] is True
    if size > 1:
        assert (await figure(box, "employee/m1"))["detractors"] == size
