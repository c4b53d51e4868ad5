"""Which errors of aiokafka and the event loop mean that the log cannot be reached."""

import pytest
from aiokafka.errors import KafkaConnectionError

from fairloop.log.kafka_link import kafka_errors
from fairloop.log.port import LogUnavailableError

OF_UVLOOP = (
    "unable to perform operation on <TCPTransport closed=True reading=False 0x55f2>; the handler is closed"
)


@pytest.mark.parametrize(
    "error", [TimeoutError(), KafkaConnectionError("gone"), ConnectionResetError(), RuntimeError(OF_UVLOOP)]
)
def test_a_lost_way_to_the_brokers_is_an_unavailable_log(error: Exception) -> None:
    with pytest.raises(LogUnavailableError), kafka_errors():
        raise error


def test_a_mistake_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="generator"), kafka_errors():
        raise RuntimeError("generator didn't stop")
