"""Identifiers we make."""

from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A new UUIDv7: ids made later sort later, which keeps indexes dense."""
    return _uuid7()


def uuid7_text() -> str:
    """The same as text, made without the object: for ids that are only written down."""
    return str(uuid_utils.uuid7())
