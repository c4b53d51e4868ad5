"""Servers that ask who comes, with certificates made for the test."""

from collections.abc import AsyncIterator, Iterator

import pytest
import trustme
from tests.integration.secure.broker import OPERATOR, Papers, SecureKafka, papers, secure_kafka
from tests.integration.secure.postgres import CERTIFIED, SecurePostgres, secure_postgres


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def operators_papers(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Papers:
    """Kafka's, and those with which its operator comes."""
    return papers(tmp_path_factory.mktemp("papers"), authority, OPERATOR)


@pytest.fixture(scope="session")
def roles_papers(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Papers:
    """PostgreSQL's, and those of a role."""
    return papers(tmp_path_factory.mktemp("papers"), authority, CERTIFIED)


@pytest.fixture(scope="session")
async def kafka_with_locks(
    tmp_path_factory: pytest.TempPathFactory, operators_papers: Papers
) -> AsyncIterator[SecureKafka]:
    secure = secure_kafka(tmp_path_factory.mktemp("kafka"), operators_papers)
    async with secure.cluster:
        yield secure


@pytest.fixture(scope="session")
def postgres_with_locks(roles_papers: Papers) -> Iterator[SecurePostgres]:
    with secure_postgres(roles_papers) as running:
        yield running
