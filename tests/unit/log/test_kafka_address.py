"""What an address of brokers may say, and what it may not."""

import os
import ssl
from pathlib import Path

import pytest
import trustme

from fairloop.log import open_log
from fairloop.log.kafka_address import KafkaAddress
from fairloop.log.kafka_link import connection


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


def test_without_a_word_about_it_nothing_is_encrypted() -> None:
    assert connection("kafka://one:9092,two:9092") == {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "client_id": "fairloop",
    }


def test_a_user_comes_with_scram_and_over_tls(authority: Path) -> None:
    made = connection(f"kafka://bonus:p%40ss@one:9093,two:9093?sslmode=verify-full&sslrootcert={authority}")
    context = made.pop("ssl_context")
    assert made == {
        "bootstrap_servers": ["one:9093", "two:9093"],
        "client_id": "fairloop",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "bonus",
        "sasl_plain_password": "p@ss",
    }
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("rest", "complaint"),
    [
        ("bonus:hush@one:9092", "needs sslmode=verify-full"),
        ("bonus:hush@one:9092?sslmode=disable", "needs sslmode=verify-full"),
        ("one:9092?sslrootcert=hush", "needs sslmode=verify-full"),
        ("bonus:hush@one:9092?sslmode=require", "verify-full or disable"),
        ("bonus:hush@one:9092?sslmode=verify-full&sasl=GSSAPI", "sasl is one of"),
        ("one:9092?sslmode=verify-full&sasl=PLAIN", "needs user:password@"),
        ("one:9092?sslmode=verify-full&sslkey=hush", "needs sslcert"),
        ("bonus:hush@one:9092?sslmode=verify-full&security.protocol=hush", "security.protocol"),
    ],
)
def test_what_is_not_safe_or_not_understood_is_refused_without_repeating_secrets(
    rest: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as refused:
        open_log(f"kafka://{rest}")
    assert "hush" not in str(refused.value)
    with pytest.raises(ValueError, match=complaint):
        connection(f"kafka://{rest}")


def test_renewed_certificates_are_read_without_a_restart(authority: Path) -> None:
    address = KafkaAddress.of(f"kafka://one:9093?sslmode=verify-full&sslrootcert={authority}")
    before = address.arguments()["ssl_context"]
    assert address.arguments()["ssl_context"] is before
    trustme.CA().cert_pem.write_to_path(authority)
    os.utime(authority, ns=(1, 1))
    after = address.arguments()["ssl_context"]
    assert after.get_ca_certs() != before.get_ca_certs()
