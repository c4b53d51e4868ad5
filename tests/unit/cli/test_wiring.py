"""Which credentials end up in whose environment."""

from pathlib import Path

from fairloop.cli.installation import SERVICES, Installation, service_named
from fairloop.cli.vault import Vault
from fairloop.cli.wiring import Wiring


def test_each_service_gets_its_own_credentials_and_nobody_elses(tmp_path: Path) -> None:
    given = {service.database_variable: f"postgresql://{service.package}@db/x" for service in SERVICES}
    given |= {service.log_variable: f"kafka://{service.name}@broker" for service in SERVICES}
    given |= {
        "FAIRLOOP_LOG_URL": "kafka://operator@broker",
        "FAIRLOOP_OIDC_ISSUER": "https://login.example.org",
    }
    installation = Installation(tmp_path, 8100, given)
    wiring = Wiring(installation, Vault.fresh(), None)

    told = wiring.environment(service_named("closed-loop"))

    assert told["FAIRLOOP_LOG_URL"] == "kafka://closed-loop@broker"
    assert told["FAIRLOOP_DATABASE_URL"] == "postgresql://closed_loop@db/x"
    assert told["FAIRLOOP_OIDC_ISSUER"] == "https://login.example.org"
    assert not [value for value in told.values() if "operator" in value or "bonus@" in value]
    assert wiring.log_url == "kafka://operator@broker"


def test_one_address_of_the_log_serves_all_when_none_has_its_own(tmp_path: Path) -> None:
    given = {service.database_variable: "postgresql://db/x" for service in SERVICES}
    installation = Installation(tmp_path, 8100, given | {"FAIRLOOP_LOG_URL": "kafka://broker:9092"})
    for service in SERVICES:
        told = Wiring(installation, Vault.fresh(), None).environment(service)
        assert told["FAIRLOOP_LOG_URL"] == "kafka://broker:9092"
