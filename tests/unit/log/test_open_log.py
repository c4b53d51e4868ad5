import pytest

from fairloop.log import open_log
from fairloop.log.kafka import KafkaLog
from fairloop.log.postgres import PostgresLog


def test_the_address_chooses_the_adapter() -> None:
    assert isinstance(open_log("kafka://one:9092,two:9092"), KafkaLog)
    assert isinstance(open_log("postgresql://fairloop:secret@localhost/log"), PostgresLog)


@pytest.mark.parametrize("url", ["redis://localhost", "localhost:9092", ""])
def test_another_address_is_refused_without_repeating_its_secrets(url: str) -> None:
    with pytest.raises(ValueError, match="not the address of an event log"):
        open_log(url)
