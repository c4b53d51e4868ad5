"""What pydantic finds wrong in a part of a body, as JSON pointers."""

from pydantic import ValidationError


def pointed(error: ValidationError, *, below: str) -> list[tuple[str, str]]:
    """(JSON pointer, what is wrong there) of every finding."""
    return [
        ("/".join([below, *(_escaped(part) for part in one["loc"])]), str(one["msg"]))
        for one in error.errors(include_url=False)
    ]


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
