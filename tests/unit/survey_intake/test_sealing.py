"""Keys and what they seal."""

import pytest
from pydantic import ValidationError

from fairloop.testing import ENVIRONMENT
from survey_intake.sealing import DataKey, UnreadableError, Vault
from survey_intake.settings import IntakeSettings


def test_what_is_sealed_opens_with_the_same_key_only() -> None:
    vault = Vault(b"m" * 32)
    key, wrapped = vault.new_key()
    sealed = key.seal(b"Anna", b"context")

    assert vault.unwrap(wrapped).open(sealed, b"context") == b"Anna"
    assert b"Anna" not in sealed
    other, _ = vault.new_key()
    for wrong_key, context in ((other, b"context"), (key, b"another")):
        with pytest.raises(UnreadableError):
            wrong_key.open(sealed, context)


def test_a_wrapped_key_needs_its_master_key() -> None:
    _, wrapped = Vault(b"m" * 32).new_key()

    with pytest.raises(UnreadableError):
        Vault(b"n" * 32).unwrap(wrapped)


def test_sealing_twice_looks_different() -> None:
    key = DataKey(b"k" * 32)

    assert key.seal(b"same") != key.seal(b"same")


@pytest.mark.parametrize("key", ["", "short", "bm90IDMyIGJ5dGVz", "%" * 44])
def test_a_master_key_is_32_bytes_in_base64(key: str) -> None:
    with pytest.raises(ValidationError, match="32 random bytes"):
        IntakeSettings.model_validate(ENVIRONMENT | {"master_key": key})
