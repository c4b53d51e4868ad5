"""What the processes answer: who is there, ready, of which version, with which clock, certificate and keys."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from fairloop.doctor.findings import Finding
from fairloop.doctor.seen import Seen
from fairloop.events import TOPICS

SERVICES = tuple(dict.fromkeys(topic.producer for topic in TOPICS.values()))
CLOCK_LOOK = 5.0
"""Seconds between two clocks; beyond CLOCK_BROKEN tokens that are not valid yet are refused."""
CLOCK_BROKEN = 30.0
CERTIFICATE_LOOK = timedelta(days=21)
CERTIFICATE_BROKEN = timedelta(days=3)


def reachable(seen: Seen) -> Iterator[Finding]:
    for one in seen.said:
        if one.silent is not None:
            yield Finding(
                check="reachable",
                state="broken",
                where=one.name,
                seen=f"{one.place.url}: {one.silent}",
                do="Start it, or mend the way to it: its own log says why it ended.",
                see="FairloopDown",
            )
        elif one.answers and one.place.service not in {None, one.service}:
            yield Finding(
                check="reachable",
                state="broken",
                where=one.place.service or "",
                seen=f"{one.place.url} answers as {one.service}",
                do="Mend the address, or what routes it.",
                see="FairloopDown",
            )
    if not all(one.service or one.place.service for one in seen.said):
        return  # who is silent there may be the one that is missing
    for service in SERVICES:
        if all(one.name != service for one in seen.said):
            yield Finding(
                check="reachable",
                state="look",
                where=service,
                seen="none of the addresses is its own",
                do="Name its address, too: --target URL.",
                see="Day to day",
            )


def ready(seen: Seen) -> Iterator[Finding]:
    """Why a process is not ready, each reason under the check that is about it."""
    for one in seen.answering:
        for reason in one.readiness.get("reasons", ()):
            if " is halted: " in reason:
                continue  # `halted` tells it
            yield _unready(one.name, str(reason))


def _unready(where: str, reason: str) -> Finding:
    if reason.startswith("migrations are pending"):
        return Finding(
            check="data version",
            state="broken",
            where=where,
            seen=reason,
            do="Run its `python -m <package>.main migrate`; an embedded installation: `fairloop down`, `fairloop up`.",
            see="A database is down",
        )
    if reason.startswith("the database"):
        return Finding(
            check="databases",
            state="broken",
            where=where,
            seen=reason,
            do="Bring its database back: the service goes on by itself.",
            see="A database is down",
        )
    if reason.startswith("the event log"):
        return Finding(
            check="event log",
            state="broken",
            where=where,
            seen=reason,
            do="Bring the brokers back, and watch the disks of the databases meanwhile.",
            see="The log is down",
        )
    return Finding(
        check="ready",
        state="look" if reason == "shutting down" else "broken",
        where=where,
        seen=reason,
        do="Ask again in a moment; if it stays, read its log.",
        see="FairloopUnready",
    )


def halted(seen: Seen) -> Iterator[Finding]:
    for one in seen.answering:
        reasons = dict(one.readiness.get("halted", {}))
        for sample in one.metrics.get("fairloop_partition_halted", ()):
            if sample.value:
                partition = f"{sample.labels.get('topic')}/{sample.labels.get('partition')}"
                reasons.setdefault(partition, "its log says why: `partition_halted` or `relay_halted`")
        for partition, reason in sorted(reasons.items()):
            yield Finding(
                check="halted partitions",
                state="broken",
                where=one.name,
                seen=f"{partition}: {reason}",
                do="Find out why, then `fairloop repair plan` and `fairloop repair run`.",
                see="A halted partition",
            )


def versions(seen: Seen) -> Iterator[Finding]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in seen.answering:
        found[one.version or "unknown"].append(one.name)
    told = "; ".join(
        f"{version}: {', '.join(sorted(set(names)))}" for version, names in sorted(found.items())
    )
    if len(found) > 1:
        yield Finding(
            check="versions",
            state="look",
            seen=told,
            do="Finish the release: every service in the same version.",
            see="Day to day",
        )
    elif found and seen.our_version not in found:
        yield Finding(
            check="versions",
            state="look",
            seen=f"{told}; this doctor: {seen.our_version}",
            do="Ask with a doctor of the installation's version: it knows what that version tells.",
            see="Day to day",
        )


def clocks(seen: Seen) -> Iterator[Finding]:
    for one in seen.answering:
        ahead = one.ahead_seconds or 0.0
        if abs(ahead) >= CLOCK_LOOK:
            way = "ahead of" if ahead > 0 else "behind"
            yield Finding(
                check="clocks",
                state="broken" if abs(ahead) >= CLOCK_BROKEN else "look",
                where=one.name,
                seen=f"its clock is {abs(ahead):.0f} s {way} ours",
                do="Let both machines keep time (`timedatectl`): tokens and signed webhooks are refused by the clock.",
                see="FairloopSignaturesRefused",
            )


def certificates(seen: Seen) -> Iterator[Finding]:
    for one in seen.said:
        if one.distrusted is not None:
            yield Finding(
                check="certificates",
                state="broken",
                where=one.name,
                seen=f"{one.place.url}: {one.distrusted}",
                do="Renew it, or name its authority to this command in SSL_CERT_FILE.",
                see="Day to day",
            )
        elif one.certificate_until is not None:
            left = one.certificate_until - seen.now
            if left <= CERTIFICATE_LOOK:
                yield Finding(
                    check="certificates",
                    state="broken" if left <= CERTIFICATE_BROKEN else "look",
                    where=one.name,
                    seen=f"{one.place.url}: valid until {one.certificate_until:%Y-%m-%d %H:%M} UTC",
                    do="Renew it, and find out why that did not happen by itself.",
                    see="Day to day",
                )


def tokens(seen: Seen) -> Iterator[Finding]:
    for one in seen.answering:
        if one.refuses_token is not None:
            yield Finding(
                check="tokens",
                state="broken",
                where=one.name,
                seen=f"it refuses the token: {one.refuses_token}",
                do="Give every service the same FAIRLOOP_TOKEN_PUBLIC_KEY, or FAIRLOOP_OIDC_ISSUER and its audience, "
                "and this command a token that is valid.",
                see="Day to day",
            )
