"""The folder of secrets for containers."""

from pathlib import Path

import pytest

from fairloop.auth import Role, verify_token
from fairloop.cli.installation import SERVICES
from fairloop.cli.secret_files import make_secrets, read_private_key


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in folder.iterdir()}


def test_every_service_gets_secrets_of_its_own(tmp_path: Path) -> None:
    made = make_secrets(tmp_path / "secrets")
    held = contents(tmp_path / "secrets")
    assert sorted(made) == sorted(held)
    for service in SERVICES:
        name = service.package
        assert held[f"{name}_database_url"] == (
            f"postgresql://{name}:{held[f'{name}_password']}@postgres:5432/{name}"
        )
        caller = verify_token(held[f"{name}_service_token"], held["token_public_key"])
        assert (caller.sub, caller.roles) == (service.name, {Role.SERVICE})
    assert verify_token(held["admin_token"], held["token_public_key"]).roles == {Role.ADMIN}
    assert len(set(held.values())) == len(held)


def test_what_containers_read_is_open_in_a_folder_that_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o755)
    make_secrets(folder)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {name for name, mode in modes.items() if mode == 0o600} == {"token_private_key", "admin_token"}
    assert set(modes.values()) == {0o600, 0o644}


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    held = contents(tmp_path)
    assert make_secrets(tmp_path) == []
    assert contents(tmp_path) == held


def test_what_follows_from_a_secret_follows_the_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "bonus_password").write_text("of our/own\n")
    make_secrets(tmp_path)
    held = contents(tmp_path)
    assert held["bonus_password"] == "of our/own"
    assert held["bonus_database_url"] == "postgresql://bonus:of%20our%2Fown@postgres:5432/bonus"

    key = read_private_key(tmp_path)
    (tmp_path / "admin_token").unlink()
    assert make_secrets(tmp_path) == ["admin_token"]
    assert read_private_key(tmp_path) == key
    token = (tmp_path / "admin_token").read_text().strip()
    assert verify_token(token, held["token_public_key"]).roles == {Role.ADMIN}


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pseudonym_key").touch()
    with pytest.raises(OSError, match="pseudonym_key is empty"):
        make_secrets(tmp_path)
