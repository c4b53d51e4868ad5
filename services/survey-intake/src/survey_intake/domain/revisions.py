"""What a delivery does to the response it belongs to.

A response has revisions in order of arrival; the newest by `updated_at` (ties: the later arrival) is its
current state. `version` counts the states that were published: newer revisions, deletion, erasure.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class Status(StrEnum):
    ACTIVE = "active"
    DELETED = "deleted"
    ERASED = "erased"


class Verdict(StrEnum):
    NEWER = "newer"  # becomes the current state and is published
    OLDER = "older"  # is kept, but the current state stays
    DUPLICATE = "duplicate"
    IGNORED = "ignored"  # the response was deleted or erased


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a response stands. `older` holds (updated_at, hash) of the revisions that are not current."""

    status: Status
    version: int
    revisions: int
    current: int
    content_hash: bytes
    updated_at: datetime
    older: frozenset[tuple[datetime, bytes]] = frozenset()

    def with_older(self, older: frozenset[tuple[datetime, bytes]]) -> "Standing":
        return msgspec.structs.replace(self, older=older)


def judge(standing: Standing | None, content_hash: bytes, updated_at: datetime) -> Verdict:
    if standing is None:
        return Verdict.NEWER
    if standing.status is not Status.ACTIVE:
        return Verdict.IGNORED
    if content_hash == standing.content_hash:
        return Verdict.DUPLICATE
    if updated_at >= standing.updated_at:
        return Verdict.NEWER
    return Verdict.DUPLICATE if (updated_at, content_hash) in standing.older else Verdict.OLDER


def advance(
    standing: Standing | None, verdict: Verdict, content_hash: bytes, updated_at: datetime
) -> Standing:
    """Where the response stands after the delivery.

    A duplicate of the current state that is later on the platform's clock moves that clock along, so that an
    edit made between the two cannot come back over it.
    """
    if standing is None:
        return Standing(
            status=Status.ACTIVE,
            version=1,
            revisions=1,
            current=1,
            content_hash=content_hash,
            updated_at=updated_at,
        )
    if verdict is Verdict.NEWER:
        return Standing(
            status=standing.status,
            version=standing.version + 1,
            revisions=standing.revisions + 1,
            current=standing.revisions + 1,
            content_hash=content_hash,
            updated_at=updated_at,
            older=standing.older | {(standing.updated_at, standing.content_hash)},
        )
    if verdict is Verdict.OLDER:
        return msgspec.structs.replace(
            standing,
            revisions=standing.revisions + 1,
            older=standing.older | {(updated_at, content_hash)},
        )
    if verdict is Verdict.DUPLICATE and content_hash == standing.content_hash:
        return msgspec.structs.replace(standing, updated_at=max(standing.updated_at, updated_at))
    return standing
