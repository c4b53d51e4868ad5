"""The event log: one port, two adapters."""

from fairloop.log.port import Log
from fairloop.log.postgres import PostgresLog


def open_log(url: str) -> Log:
    """The log at `kafka://[user:password@]host:port[,host:port]` or `postgresql://user:password@host/database`.

    TLS is asked for by `?sslmode=verify-full&sslrootcert=FILE` in both, see `fairloop.log.kafka_address`. Connects when
    entered. Raises ValueError for any other address.
    """
    scheme = url.partition("://")[0]
    if scheme == "kafka":
        from fairloop.log.kafka import KafkaLog  # noqa: PLC0415 - slow to load, and often not needed

        return KafkaLog(url)
    if scheme in {"postgresql", "postgres"}:
        return PostgresLog(url)
    raise ValueError(f"not the address of an event log: {scheme}://…")
