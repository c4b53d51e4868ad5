"""Where a service's settings come from."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError
from pydantic_settings import SettingsError

from fairloop.settings import ServiceSettings
from fairloop.testing import PUBLIC_KEY

RSA_KEY = (
    generate_private_key(65537, 2048)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
).decode()
SECRETS = {
    "fairloop_database_url": "postgresql://bonus:quiet@db/bonus\n",
    "fairloop_pseudonym_key": "a key\n",
    "fairloop_token_public_key": PUBLIC_KEY,
}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment whose secrets are files, as containers have them."""
    for name, content in SECRETS.items():
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("FAIRLOOP_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("FAIRLOOP_LOG_URL", "kafka://kafka:9092")
    return monkeypatch


def test_secrets_are_read_from_files_without_the_line_break_at_the_end(
    environment: pytest.MonkeyPatch,
) -> None:
    settings = ServiceSettings()
    assert settings.database_url == "postgresql://bonus:quiet@db/bonus"
    assert settings.pseudonym_key.get_secret_value() == "a key"
    assert settings.token_public_key == PUBLIC_KEY.strip()


def test_a_variable_goes_before_a_file(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FAIRLOOP_DATABASE_URL", "postgresql://elsewhere/bonus")
    assert ServiceSettings().database_url == "postgresql://elsewhere/bonus"


def test_an_empty_variable_is_an_absent_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FAIRLOOP_DATABASE_URL", "")
    environment.setenv("FAIRLOOP_TIMEZONE", "")
    settings = ServiceSettings()
    assert settings.database_url == "postgresql://bonus:quiet@db/bonus"
    assert settings.timezone == "UTC"


def test_a_folder_of_secrets_that_is_not_there_is_said_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FAIRLOOP_SECRETS_DIR", "/nowhere/secrets")
    with pytest.raises(SettingsError, match="/nowhere/secrets"):
        ServiceSettings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TOKEN_PUBLIC_KEY", "guessed", "an Ed25519 public key in PEM"),
        pytest.param("TOKEN_PUBLIC_KEY", RSA_KEY, "an Ed25519 public key in PEM", id="an RSA key"),
        ("TIMEZONE", "Europe/Atlantis", "a time zone"),
        ("TIMEZONE", "/etc/localtime", "a time zone"),
    ],
)
def test_what_would_only_be_noticed_later_is_refused_at_once(
    environment: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    environment.setenv(f"FAIRLOOP_{name}", value)
    with pytest.raises(ValidationError, match=said):
        ServiceSettings()


def test_a_service_says_what_it_was_told_wrongly_and_no_value(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FAIRLOOP_MASTER_KEY", "hush")
    environment.setenv("FAIRLOOP_DATABASE_URL", "postgresql://hush@127.0.0.1:1/intake")
    assert _said("survey_intake", "api") == (
        "survey-intake is not set up:\nFAIRLOOP_MASTER_KEY: must be 32 random bytes in base64\n"
    )


def test_a_command_without_its_database_says_so(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FAIRLOOP_DATABASE_URL", "postgresql://hush@127.0.0.1:1/bonus")
    (line,) = _said("bonus", "migrate").splitlines()
    assert line.startswith("The database or the event log does not answer: ")
    assert "hush" not in line


def _said(package: str, command: str) -> str:
    """What a command that fails tells its user."""
    program = [sys.executable, "-m", f"{package}.main", command]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr
