"""Where a service's settings come from."""

from pathlib import Path

import pytest
from pydantic_settings import SettingsError

from fairloop.settings import ServiceSettings

SECRETS = {
    "fairloop_database_url": "postgresql://bonus:quiet@db/bonus\n",
    "fairloop_pseudonym_key": "a key\n",
    "fairloop_token_public_key": "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
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
    assert settings.token_public_key.splitlines()[1] == "MCow"


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
