"""Finds whether a stored body is about a customer, so that erasure reaches bodies nobody could read."""

import re
from collections.abc import Iterable

import msgspec

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def mentions(body: bytes, needles: Iterable[str]) -> bool:
    """Whether one of the needles (reference, e-mail, phone) is a value in the body.

    In JSON a value must equal a needle or hold it when it is an e-mail address; in anything else a needle must
    stand on its own, because a short reference such as "42" occurs inside many numbers.
    """
    wanted = {needle.strip().casefold() for needle in needles if needle.strip()}
    if not wanted:
        return False
    try:
        return _holds(msgspec.json.decode(body.decode()), wanted)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return _stands_alone(body, wanted)


def _holds(root: object, wanted: set[str]) -> bool:
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str | int | float) and _is_about(str(value).strip().casefold(), wanted):
            return True
    return False


def _is_about(text: str, wanted: set[str]) -> bool:
    return text in wanted or any("@" in needle and needle in text for needle in wanted)


def _stands_alone(body: bytes, wanted: set[str]) -> bool:
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), body.decode("utf-8", "replace")).casefold()
    return any(re.search(rf"(?<!\w){re.escape(needle)}(?!\w)", text) for needle in wanted)
