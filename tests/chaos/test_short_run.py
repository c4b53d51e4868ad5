"""Under random faults for a while, and everything is still counted, followed up and paid exactly once."""

import logging
from pathlib import Path

import pytest
from tests.chaos.run import Orders, chaos
from tests.form import in_the_long_form

pytestmark = [in_the_long_form, pytest.mark.fault, pytest.mark.kafka, pytest.mark.timeout(900)]

SEED = 11


async def test_nothing_is_lost_or_doubled_while_everything_falls_over(tmp_path: Path) -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers are away on purpose
    report = await chaos(Orders(SEED, 45, "kafka", per_second=4), tmp_path, print)
    assert report.fine, f"seed {SEED}: {report.wrong}; logs in {tmp_path}"
    print(report.figures)
