"""The worker's loop that sends digests by mail, each at most once.

A mail is claimed, made and announced to the server, then marked as being handed over, then sent, then marked as sent. Killed
before the mark it is tried again; killed after it, nobody can tell whether the server took it: it is left alone and shown as
unknown, because a second mail about the same week is worse than one to be read over the API.
"""

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import structlog

from closed_loop.domain.calendar import WEEKDAYS
from closed_loop.domain.digest import Digest
from closed_loop.domain.schedule import Schedule
from closed_loop.rendering import as_html, as_text, subject
from closed_loop.service.asking import people
from closed_loop.service.digest_deliveries import (
    State,
    Task,
    claim,
    give_up_lost,
    hand_over,
    plan,
    settle,
    try_again,
    zone_of,
)
from closed_loop.service.digests import Reading, finish, load_facts
from closed_loop.service.positions import position_of
from closed_loop.settings import ClosedLoopSettings
from closed_loop.smtp import MailRefusedError, MailUncertainError, Server, presented
from fairloop.db import is_transient
from fairloop.errors import Unavailable
from fairloop.service import Runtime
from fairloop.waiting import wait_for_event

log = structlog.get_logger()

_POLL_SECONDS = 1.0
_AT_ONCE = 20


async def mailing(runtime: Runtime) -> None:
    """Plan and send what is due until told to stop; without an SMTP server say so once and send nothing."""
    if runtime.settings.smtp_url is None:
        log.info("digests_are_not_sent", reason="no smtp_url is set; they can be read over the API")
        await runtime.stopping.wait()
        return
    while not runtime.stopping.is_set():
        try:
            busy = await send_due(runtime)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("mailing_waits_for_database", error=type(error).__name__)
            busy = 0
        if not busy:
            await wait_for_event(runtime.stopping, _POLL_SECONDS)


async def send_due(runtime: Runtime) -> int:
    """Plan this week's digests when their time has come and send those that are due; says how many were tried."""
    settings, now = runtime.settings, runtime.clock()
    schedule = Schedule(WEEKDAYS.index(settings.digest_weekday), settings.digest_hour)
    async with runtime.db.begin() as session:
        await plan(session, schedule, settings.zone, now=now)
        lost = await give_up_lost(session, now=now)
        tasks = await claim(session, now=now, most=_AT_ONCE)
    for employee in lost:
        log.error("digest_unknown", employee=employee)
    for task in tasks:
        await send(runtime, task, Server(settings.smtp_url.get_secret_value()))
    return len(tasks)


async def send(runtime: Runtime, task: Task, server: Server) -> None:
    """One digest, from its facts to the server's answer."""
    try:
        made = await _make(runtime, task)
    except Unavailable as error:
        await _again(runtime, task, type(error).__name__)
        return
    if made is None:
        await _settle(runtime, task, "no_address")
        return
    message, address = made
    try:
        async with presented(server, message, to=address) as envelope:
            async with runtime.db.begin() as session:
                mine = await hand_over(session, task)
            if not mine:
                return
            await envelope.send()
    except MailRefusedError as error:
        if error.final:
            await _settle(runtime, task, "failed", str(error))
        else:
            await _again(runtime, task, str(error))
    except MailUncertainError as error:
        await _settle(runtime, task, "unknown", str(error))
    else:
        await _settle(runtime, task, "sent")


async def _make(runtime: Runtime, task: Task) -> tuple[EmailMessage, str] | None:
    """The mail and where it goes; None for somebody without an address, or who has left. Raises Unavailable."""
    now, zone = runtime.clock(), runtime.settings.zone
    async with runtime.db.begin() as session:
        position = await position_of(session, task.employee, today=now.astimezone(zone).date())
        if position is None:
            return None
        leads = position.leads if task.kind != "employee" else frozenset[str]()
        reading = Reading(replace(position, leads=leads), task.kind, task.starts, task.ends)
        facts = await load_facts(session, reading, now=now, zone=zone)
        theirs = await zone_of(session, task.employee, zone)
    person = (await people(runtime.peers, [task.employee])).get(task.employee)
    if person is None or person.email is None:
        return None
    digest = await finish(runtime, facts, now=now)
    message = _message(runtime.settings, task, digest, to=person.email, now=now)
    message.set_content(as_text(digest, theirs))
    message.add_alternative(as_html(digest, theirs), subtype="html")
    return message, person.email


def _message(
    settings: ClosedLoopSettings, task: Task, digest: Digest, *, to: str, now: datetime
) -> EmailMessage:
    """The mail without its text."""
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    message["To"] = to
    message["Subject"] = subject(digest)
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["Message-ID"] = f"<{task.message_id}@{settings.mail_from.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


async def _again(runtime: Runtime, task: Task, error: str) -> None:
    async with runtime.db.begin() as session:
        await try_again(session, task, error, now=runtime.clock())
    log.warning("digest_not_sent", employee=task.employee, attempt=task.attempts, error=error)


async def _settle(runtime: Runtime, task: Task, state: State, error: str | None = None) -> None:
    async with runtime.db.begin() as session:
        await settle(session, task, state, error, now=runtime.clock())
    log.info("digest_settled", employee=task.employee, kind=task.kind, state=state, error=error)
