"""The event log: one port, two adapters."""

from fairloop.log.port import Log

__all__ = ["Log", "open_log"]


def open_log(url: str) -> Log:
    """The log at `kafka://host:port[,host:port]` or `postgresql://…`, to be used with `async with`."""
    if url.startswith("kafka://"):
        from fairloop.log.kafka import KafkaLog  # noqa: PLC0415 - only one of the two is ever needed

        return KafkaLog(url)
    from fairloop.log.postgres import PostgresLog  # noqa: PLC0415

    return PostgresLog(url)
