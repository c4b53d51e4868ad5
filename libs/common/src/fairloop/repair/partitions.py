"""Which partitions concern a service."""

from fairloop.events import Topic, produced_by, topics_of
from fairloop.log.port import TopicPartition
from fairloop.service import Runtime, Service


def produced(service: Service) -> list[TopicPartition]:
    """Those it writes."""
    return _partitions(produced_by(service.name))


def consumed(service: Service, runtime: Runtime) -> list[TopicPartition]:
    """Those it reads."""
    return _partitions(topics_of(set(service.handlers(runtime.settings, runtime.clock))))


def _partitions(topics: list[Topic]) -> list[TopicPartition]:
    return [TopicPartition(topic.name, part) for topic in topics for part in range(topic.partitions)]
