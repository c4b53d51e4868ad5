"""What we sign, our own receiver accepts."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from closed_loop.domain.signing import secret_key, signed_headers
from survey_intake.domain.signature import is_signed

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = "whsec_" + b64encode(bytes(range(24))).decode()


def test_the_published_vector_of_standard_webhooks() -> None:
    key = secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at=at)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_survey_intake_accepts_the_signature_and_no_other_body_or_time() -> None:
    key = secret_key(SECRET)
    headers = signed_headers(key, "case_1_1", b"{}", at=NOW)
    assert is_signed(headers, b"{}", keys=[key], now=NOW)
    assert not is_signed(headers, b"{ }", keys=[key], now=NOW)
    assert not is_signed(headers, b"{}", keys=[key], now=NOW + timedelta(minutes=6))


@pytest.mark.parametrize("secret", ["abc", "whsec_", "whsec_*", "whsec_" + b64encode(b"short").decode()])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="must"):
        secret_key(secret)
