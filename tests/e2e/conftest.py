"""One installation for the tests that leave it as they found it."""

from collections.abc import Iterator

import pytest
from tests.e2e.installation import Installation, installed


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("shared") / "home") as up:
        yield up
