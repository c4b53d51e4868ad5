"""One look at an installation: ask everybody at once, then judge what they said."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx

from fairloop import __version__
from fairloop.cli.data_version import DATA_VERSION, data_version_of
from fairloop.doctor import figures, processes, surroundings
from fairloop.doctor.asking import ANSWER_SECONDS, Place, Said, ask
from fairloop.doctor.beside import disk_of, ownerless_cases, topics_of_log
from fairloop.doctor.findings import Finding, NotLooked, Report, report_of
from fairloop.doctor.seen import Around, Seen

NOBODY = "nobody answers"
ANONYMOUS = "there is no token: FAIRLOOP_TOKEN"
FINE = {
    "reachable": "every address answers",
    "ready": "everybody is ready",
    "databases": "every service has its database",
    "data version": "everything is migrated",
    "event log": "it answers",
    "topics": "as the catalogue says",
    "versions": "the same everywhere",
    "clocks": "as ours",
    "certificates": "valid for three weeks and more",
    "tokens": "every service takes the token",
    "halted partitions": "none",
    "measuring": "every worker tells what waits",
    "parked keys": "none",
    "lag": "nobody is far behind",
    "oldest event": "nothing waits for long",
    "outbox": "everything reaches the log",
    "deadlines": "none was missed",
    "upkeep": "the hourly jobs run",
    "cases without an owner": "none",
    "disk": "there is room",
}
"""Every check, in the order of the report, and what it says when nothing is wrong."""

CHECKS: tuple[Callable[[Seen], Iterable[Finding]], ...] = (
    processes.reachable,
    processes.ready,
    processes.versions,
    processes.clocks,
    processes.certificates,
    processes.tokens,
    processes.halted,
    figures.measuring,
    figures.upkeep,
    *(partial(figures.waiting, limit=limit) for limit in figures.LIMITS),
    surroundings.data_version,
    surroundings.event_log,
    surroundings.topics,
    surroundings.cases,
    surroundings.disk,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An installation as far as it is known here; `data` is the data folder of an embedded one."""

    places: Sequence[Place]
    token: str | None
    log_url: str | None
    data: Path | None


async def examine(subject: Subject) -> Report:
    """Look at everything there is to look at; what is wrong with the installation is never raised.

    Raises OSError, EmbeddedError when the data folder cannot be read.
    """
    trusted = ssl.create_default_context()
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, verify=trusted) as client:
        said = await asyncio.gather(*(ask(client, place, subject.token) for place in subject.places))
        around = await look_around(client, subject, said)
    return judge(
        Seen(
            said=said,
            around=around,
            token_shown=subject.token is not None,
            our_version=__version__,
            now=datetime.now(UTC),
        )
    )


async def look_around(client: httpx.AsyncClient, subject: Subject, said: Sequence[Said]) -> Around:
    """What there is beside the processes."""
    topics: Mapping[str, str] | str = "FAIRLOOP_LOG_URL does not say where the log is"
    away = None
    if subject.log_url is not None:
        topics, away = await topics_of_log(subject.log_url)
    ownerless: Mapping[str, int] | str = ANONYMOUS
    if subject.token is not None:
        ownerless = await ownerless_cases(client, said, subject.token)
    return Around(
        topics_wrong="the log does not answer" if away is not None else topics,
        log_away=away,
        ownerless=ownerless,
        data_version=None if subject.data is None else (data_version_of(subject.data), DATA_VERSION),
        disk=None if subject.data is None else disk_of(subject.data),
    )


def judge(seen: Seen) -> Report:
    """What it all means: of each check its troubles, or that it is fine, or why nobody could tell."""
    found = [finding for check in CHECKS for finding in check(seen)]
    troubled = {finding.check for finding in found}
    unseen = {check: why for check, why in not_looked_at(seen).items() if check not in troubled}
    found += [
        Finding(check=check, state="fine", seen=said)
        for check, said in FINE.items()
        if check not in troubled and check not in unseen
    ]
    order = list(FINE)
    found.sort(key=lambda finding: order.index(finding.check))
    return report_of(found, [NotLooked(check=check, why=why) for check, why in unseen.items()])


def not_looked_at(seen: Seen) -> dict[str, str]:
    """Check → why it has nothing to go by."""
    around = seen.around
    blind: dict[str, str] = {}
    if not seen.answering:
        asked = ("ready", "databases", "data version", "versions", "clocks", "tokens", "measuring")
        blind |= dict.fromkeys(asked, NOBODY)
    elif not seen.token_shown:
        blind["tokens"] = ANONYMOUS
    if any(one.ahead_seconds is None for one in seen.answering):
        blind["clocks"] = "somebody's answers carry no date"
    told = {limit.check: limit.gauge for limit in figures.LIMITS}
    told |= {"upkeep": figures.JOB_DONE, "halted partitions": figures.MEASURED}
    for check, gauge in told.items():
        if not any(seen.samples(gauge)):
            blind[check] = "no worker at these addresses tells it"
    if isinstance(around.topics_wrong, str):
        blind["topics"] = around.topics_wrong
        if around.log_away is None and not any(seen.samples(figures.LOG_UP)):
            blind["event log"] = (
                "no worker at these addresses tells it, and FAIRLOOP_LOG_URL does not say where it is"
            )
    if isinstance(around.ownerless, str):
        blind["cases without an owner"] = around.ownerless
    if not any(one.certificate_until for one in seen.said):
        blind["certificates"] = "none of the addresses is https"
    if around.disk is None:
        blind["disk"] = "it is looked at on the machine of an embedded installation only"
    return blind
