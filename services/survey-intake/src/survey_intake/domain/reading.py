"""From raw bytes to a draft, by platform. Whatever the bytes are, the answer is a value, never an exception."""

from zoneinfo import ZoneInfo

import msgspec

from survey_intake.domain.draft import NotUnderstood, Problem, Reading
from survey_intake.domain.formbricks import read_formbricks
from survey_intake.domain.mapping import Mapping
from survey_intake.domain.own_format import read_own

PLATFORMS = ("formbricks", "fairloop")
"""Those that can be read. Others are known by name and refused until they can."""


def decode(body: bytes) -> object | NotUnderstood:
    """Strict UTF-8 and JSON: no NaN, no depth that exhausts the stack, no lone surrogates."""
    try:
        value: object = msgspec.json.decode(body.decode())
    except UnicodeDecodeError:
        return NotUnderstood((Problem("", "is not valid UTF-8"),))
    except RecursionError:
        return NotUnderstood((Problem("", "is nested too deep"),))
    except msgspec.DecodeError:
        return NotUnderstood((Problem("", "is not valid JSON"),))
    return value


def read_delivery(body: bytes, *, platform: str, mapping: Mapping, zone: ZoneInfo) -> Reading:
    told = decode(body)
    if isinstance(told, NotUnderstood):
        return told
    if not isinstance(told, dict):
        return NotUnderstood((Problem("", "must be an object"),))
    if platform == "formbricks":
        return read_formbricks(told, mapping, zone)
    return read_own(told, zone)
