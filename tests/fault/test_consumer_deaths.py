"""A consumer that dies or stands still at the worst moment."""

import pytest
from tests.fault.pair import Pair

pytestmark = pytest.mark.timeout(300)


@pytest.mark.fault(13)
async def test_a_first_run(pair: Pair) -> None:
    await pair.sell()
    await pair.count()
    async with pair.traffic.flowing(pair.url):
        await pair.applied(50)
    await pair.check()
