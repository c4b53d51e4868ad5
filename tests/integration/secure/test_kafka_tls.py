"""TLS and credentials to a real Kafka, by the address alone."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
import trustme
from tests.integration.log.workers import fetch_all, numbered, subscribed
from tests.integration.secure.broker import OPERATOR, Papers, SecureKafka, papers

from fairloop.log import open_log
from fairloop.log.port import LogUnavailableError, TopicPartition

pytestmark = pytest.mark.kafka


@pytest.fixture(params=["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "certificate"])
def good_url(request: pytest.FixtureRequest, kafka_with_locks: SecureKafka, operators_papers: Papers) -> str:
    if request.param == "certificate":
        return kafka_with_locks.url_with_certificate(operators_papers.certificate, operators_papers.key)
    return kafka_with_locks.url(OPERATOR, more=f"&sasl={request.param}")


async def test_everything_a_service_does_goes_by_tls(good_url: str) -> None:
    name = f"sealed-{uuid4().hex[:8]}"
    partition = TopicPartition(name, 0)
    async with open_log(good_url) as log:
        await log.create_topics({name: 1})
        await log.check_topics({name: 1})
        producer = await log.producer()
        await producer.append({partition: numbered(0, 3)})
        async with subscribed(log, name, name) as subscription:
            fetched = await fetch_all(subscription, 3)
            await subscription.commit({partition: 3})
        await producer.close()
        assert fetched == {partition: [b"0", b"1", b"2"]}
        assert await log.bounds([partition]) == {partition: (0, 3)}
        assert await log.committed(name, [partition]) == {partition: 3}
        await log.truncate({partition: 2})
        assert [record.value for record in await log.read(partition, 0, max_records=9)] == [b"2"]


async def test_who_is_not_known_and_what_is_not_trusted_gets_no_answer(
    kafka_with_locks: SecureKafka, tmp_path: Path
) -> None:
    secure = kafka_with_locks
    other = papers(tmp_path, trustme.CA(), OPERATOR)
    known = secure.url(OPERATOR)
    await asyncio.gather(
        refused(secure.url(OPERATOR, password="wrong")),
        refused(secure.url("nobody")),
        refused(known.replace(str(secure.authority), str(other.authority))),
        refused(known.replace("localhost", "127.0.0.1")),  # the certificate names localhost only
        refused(f"kafka://localhost:{secure.certificate_port}?{secure.verified}"),  # no certificate of ours
        refused(secure.url_with_certificate(other.certificate, other.key)),  # one of somebody else's
        refused(f"kafka://localhost:{secure.scram_port}"),  # in the clear
        refused(known.replace(str(secure.authority), "/nowhere/ca.pem")),
    )
    async with open_log(known):
        pass


async def refused(url: str) -> None:
    with pytest.raises(LogUnavailableError):
        async with open_log(url):
            pass
