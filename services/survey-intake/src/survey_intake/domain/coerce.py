"""From a decoded JSON value to a value we can rely on, or a ValueError whose text says what is wrong.

The text never quotes the value: it may be personal data, and it ends in error lists and logs.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SLUG = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_MAX_ID = 256
_MAX_LABEL = 128


def is_absent(value: object) -> bool:
    """Platforms write "not answered" in four ways. 0 is an answer."""
    return value is None or value in ("", "null", [])


def whole_number(value: object) -> int:
    """An integer, also when it came as "10" or 10.0; a label such as "1: Male" is none."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number, not true or false")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise ValueError("must be a whole number")


def identifier(value: object) -> str:
    """An id another system chose: 1 to 256 characters without control characters; a number is taken as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a non-empty text")
    if len(value) > _MAX_ID or _CONTROL.search(value):
        raise ValueError(f"must have at most {_MAX_ID} characters and no control characters")
    return value


def slug(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not SLUG.fullmatch(value):
        raise ValueError("must be 1 to 128 of A-Z a-z 0-9 . _ : -")
    return value


def label(value: object) -> str:
    """A short text that is no personal data, such as a branch."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_LABEL or _CONTROL.search(value):
        raise ValueError(f"must be a text of 1 to {_MAX_LABEL} characters")
    return value


def free_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value


def language_tag(value: object) -> str:
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise ValueError("must be a language tag such as nl or en-GB")
    return value


def moment(value: object, zone: ZoneInfo) -> datetime:
    """An ISO 8601 date and time as aware UTC; without an offset it is local time in `zone`."""
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00") or value[10] not in "Tt ":
        raise ValueError("must be a date and time such as 2026-03-01T09:30:00Z")
    try:
        read = datetime.fromisoformat(value)
        told = read if read.tzinfo else read.replace(tzinfo=zone)
        utc = told if told.tzinfo is UTC else told.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a date and time such as 2026-03-01T09:30:00Z") from None
    if not 1970 <= utc.year < 9999:
        raise ValueError("must be a date after 1970")
    return utc


AHEAD = timedelta(minutes=5)


def not_ahead(told: datetime, received_at: datetime) -> datetime:
    """The time told, or that of receipt when the platform's clock is more than five minutes ahead of ours."""
    return received_at if told > received_at + AHEAD else told
