"""What was found beside the processes: the data's version, the log's topics, cases without an owner, the disk."""

from collections.abc import Iterator

from fairloop.doctor.findings import Finding
from fairloop.doctor.seen import Seen

GIB = 1024**3
DISK_BROKEN = GIB // 2
"""Bytes free; below, a busy hour can fill it."""


def data_version(seen: Seen) -> Iterator[Finding]:
    if seen.around.data_version is None:
        return
    found, known = seen.around.data_version
    if found > known:
        yield Finding(
            check="data version",
            state="broken",
            seen=f"the data folder has version {found}, this program knows {known}",
            do="Use the version that wrote it, or another FAIRLOOP_HOME: `up` refuses it.",
            see="Day to day",
        )


def event_log(seen: Seen) -> Iterator[Finding]:
    if seen.around.log_away is not None:
        yield Finding(
            check="event log",
            state="broken",
            seen=f"it cannot be reached from here: {seen.around.log_away}",
            do="Bring it back, or mend the way from here to it; events wait in the outboxes meanwhile.",
            see="The log is down",
        )


def topics(seen: Seen) -> Iterator[Finding]:
    if isinstance(seen.around.topics_wrong, str):
        return
    for topic, wrong in seen.around.topics_wrong.items():
        yield Finding(
            check="topics",
            state="broken",
            where=topic,
            seen=wrong,
            do="A missing topic: `fairloop topics`. A wrong number of partitions cannot be mended in place.",
            see="The messages",
        )


def cases(seen: Seen) -> Iterator[Finding]:
    if isinstance(seen.around.ownerless, str):
        return
    for unit, count in sorted(seen.around.ownerless.items()):
        yield Finding(
            check="cases without an owner",
            state="look",
            where=unit,
            seen=f"{count} open cases wait for the unit, for nobody in person",
            do="Give the unit, or one above it, an active employee; or reassign the cases.",
            see="Day to day",
        )


def disk(seen: Seen) -> Iterator[Finding]:
    if seen.around.disk is None:
        return
    free, total = seen.around.disk
    if free < max(DISK_BROKEN, min(total // 10, 10 * GIB)):
        yield Finding(
            check="disk",
            state="broken" if free < DISK_BROKEN else "look",
            seen=f"{free / GIB:.1f} GiB of {total / GIB:.0f} GiB are free where the data is",
            do="Make room, or shorten a FAIRLOOP_KEEP_…_DAYS.",
            see="FairloopDatabaseGrows",
        )
