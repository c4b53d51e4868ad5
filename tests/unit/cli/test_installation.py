"""What the environment says about an installation."""

from pathlib import Path

import pytest

from fairloop.cli.installation import SERVICES, Installation, service_named


def test_an_empty_environment_means_the_defaults() -> None:
    installation = Installation.of({})
    assert installation.home == Path.cwd() / ".fairloop"
    assert installation.url(service_named("survey-intake")) == "http://127.0.0.1:8101"
    assert installation.url(service_named("bonus")) == "http://127.0.0.1:8105"
    assert installation.needs_postgres


@pytest.mark.parametrize("base", ["x", "-1", "0", "65001", "8100.5", "٣"])
def test_a_port_base_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="FAIRLOOP_PORT_BASE"):
        Installation.of({"FAIRLOOP_PORT_BASE": base})


def test_one_embedded_part_is_enough_to_need_postgres() -> None:
    databases = {service.database_variable: "postgresql://db/x" for service in SERVICES}
    assert "FAIRLOOP_DATABASE_URL_KPI_AGGREGATOR" in databases
    assert Installation.of(databases).needs_postgres
    assert not Installation.of({**databases, "FAIRLOOP_LOG_URL": "kafka://broker:9092"}).needs_postgres
    assert Installation.of({**databases, "FAIRLOOP_LOG_URL": ""}).needs_postgres


def test_a_log_that_was_moved_is_found_unless_the_environment_names_another(tmp_path: Path) -> None:
    databases = {service.database_variable: "postgresql://db/x" for service in SERVICES}
    embedded = Installation.of({"FAIRLOOP_HOME": str(tmp_path), **databases})
    assert embedded.log_url is None
    assert embedded.needs_postgres

    embedded.data.mkdir()
    embedded.moved_log_file.write_text('{"log_url": "kafka://broker:9092"}')

    assert embedded.log_url == "kafka://broker:9092"
    assert not embedded.needs_postgres
    named = Installation.of({**embedded.environment, "FAIRLOOP_LOG_URL": "kafka://other:9092"})
    assert named.log_url == "kafka://other:9092"
