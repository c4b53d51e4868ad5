"""Standard Webhooks signatures."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from fairloop.standard_webhooks import OURS, is_signed, secret_key, sign, signed_headers

NOW = datetime(2021, 2, 25, 15, 3, 0, tzinfo=UTC)
SENT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
KEY = secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_published_example_of_standard_webhooks_is_signed() -> None:
    assert is_signed(HEADERS, BODY, keys=[KEY], now=NOW)


def test_what_we_sign_is_signed() -> None:
    signature = sign(KEY, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=BODY)

    assert signature == HEADERS["webhook-signature"]
    assert signed_headers(KEY, HEADERS["webhook-id"], BODY, at=SENT) == HEADERS


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "another"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "-1614265330"},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook-signature": "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook-signature": "v1,é\udcff"},
    ],
)
def test_anything_changed_is_not_signed(change: dict[str, str]) -> None:
    assert not is_signed(HEADERS | change, BODY, keys=[KEY], now=NOW)


def test_another_body_is_not_signed() -> None:
    assert not is_signed(HEADERS, BODY + b" ", keys=[KEY], now=NOW)


@pytest.mark.parametrize("name", list(HEADERS))
def test_a_missing_header_is_not_signed(name: str) -> None:
    headers = {key: value for key, value in HEADERS.items() if key != name}

    assert not is_signed(headers, BODY, keys=[KEY], now=NOW)


def test_one_right_signature_among_several_is_enough() -> None:
    headers = HEADERS | {"webhook-signature": f"v1,AAAA v2,x {HEADERS['webhook-signature']} v1,BBBB"}

    assert is_signed(headers, BODY, keys=[KEY], now=NOW)


def test_either_of_two_live_secrets_is_enough_and_none_is_not() -> None:
    other = secret_key("whsec_" + base64.b64encode(b"other").decode())

    assert is_signed(HEADERS, BODY, keys=[other, KEY], now=NOW)
    assert not is_signed(HEADERS, BODY, keys=[other], now=NOW)
    assert not is_signed(HEADERS, BODY, keys=[], now=NOW)


@pytest.mark.parametrize(("off", "fresh"), [(-300, True), (-301, False), (300, True), (301, False)])
def test_five_minutes_either_way_are_tolerated(off: int, fresh: bool) -> None:
    assert is_signed(HEADERS, BODY, keys=[KEY], now=SENT + timedelta(seconds=off)) is fresh


@pytest.mark.parametrize(
    "secret", ["MfKQ9r8G", "whsec_", "whsec_%%%", "whsec_" + "A" * 400, "WHSEC_MfKQ9r8G"]
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="must"):
        secret_key(secret)


def test_a_secret_without_padding_is_understood() -> None:
    assert secret_key("whsec_YQ") == b"a"


@pytest.mark.parametrize(("size", "taken"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_secret_of_ours_is_of_the_size_the_specification_asks_for(size: int, taken: bool) -> None:
    secret = "whsec_" + base64.b64encode(bytes(size)).decode()
    assert secret_key(secret) == bytes(size)
    if taken:
        assert secret_key(secret, sizes=OURS) == bytes(size)
    else:
        with pytest.raises(ValueError, match="24 to 64"):
            secret_key(secret, sizes=OURS)
