"""What the workers' metrics tell: what waits, since when, and which of the regular work is late.

The limits are those of the alerts in deploy/prometheus/alerts.yaml; where no limit is `broken`, waiting loses nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fairloop.doctor.asking import Said
from fairloop.doctor.findings import Finding
from fairloop.doctor.processes import SERVICES
from fairloop.doctor.seen import Seen

MEASURED = "fairloop_measured_timestamp_seconds"
MEASURED_LOOK = 300.0
JOB_DONE = "fairloop_job_last_success_timestamp_seconds"
JOB_LOOK = 3 * 3600.0
LOG_UP = "fairloop_log_up"
MONTHS_AHEAD = "fairloop_partition_months_ahead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`tells` gets the figure and the topic. `summed`: over partitions, else the worst counts."""

    check: str
    gauge: str
    look: float
    broken: float | None
    tells: Callable[[float, str], str]
    do: str
    see: str
    summed: bool = False


LIMITS = (
    Limit(
        check="parked keys",
        gauge="fairloop_parked_keys",
        look=1,
        broken=None,
        tells=lambda value, topic: (
            f"{value:.0f} keys of {topic} wait behind events that could not be applied"
        ),
        do="`fairloop parked list`, mend the cause, then `fairloop parked retry`.",
        see="Parked events",
    ),
    Limit(
        check="lag",
        gauge="fairloop_consumer_lag",
        look=1000,
        broken=None,
        tells=lambda value, topic: f"{value:.0f} events of {topic} are not consumed yet",
        do="Ask again in a minute: if it does not shrink, help its database or start more workers.",
        see="FairloopLagGrows",
        summed=True,
    ),
    Limit(
        check="oldest event",
        gauge="fairloop_consumer_oldest_age_seconds",
        look=300,
        broken=3600,
        tells=lambda value, topic: f"an event of {topic} has waited for {_span(value)}",
        do="Mend what `batch_failed` in its log names.",
        see="FairloopEventsOld",
    ),
    Limit(
        check="outbox",
        gauge="fairloop_outbox_age_seconds",
        look=60,
        broken=600,
        tells=lambda value, topic: f"an event of {topic} has not reached the log for {_span(value)}",
        do="See whether the log answers and a relay is halted; the events are safe in the database.",
        see="FairloopOutboxOld",
    ),
    Limit(
        check="deadlines",
        gauge="fairloop_timer_overdue_seconds",
        look=60,
        broken=60,
        tells=lambda value, topic: f"a deadline that passed {_span(value)} ago was not acted on",
        do="See that its worker runs and that no long transaction holds the case.",
        see="FairloopTimersLate",
    ),
)


def waiting(seen: Seen, limit: Limit) -> Iterator[Finding]:
    """Replicas tell the same of one database, so of several processes the worst counts."""
    worst: dict[tuple[str, str, str], float] = {}
    for said, sample in seen.samples(limit.gauge):
        topic, partition = sample.labels.get("topic", ""), sample.labels.get("partition", "")
        key = (sample.labels.get("service", said.name), topic, partition)
        worst[key] = max(sample.value, worst.get(key, 0.0))
    for (service, topic), value in _by_topic(worst, summed=limit.summed).items():
        if value >= limit.look:
            yield Finding(
                check=limit.check,
                state="look" if limit.broken is None or value < limit.broken else "broken",
                where=service,
                seen=limit.tells(value, topic),
                do=limit.do,
                see=limit.see,
            )


def _by_topic(worst: Mapping[tuple[str, str, str], float], *, summed: bool) -> dict[tuple[str, str], float]:
    grouped: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for (service, topic, _), value in sorted(worst.items()):
        grouped[service, topic].append(value)
    return {key: sum(values) if summed else max(values) for key, values in grouped.items()}


def measuring(seen: Seen) -> Iterator[Finding]:
    """Whether the other figures may be believed at all."""
    since = _youngest(seen, MEASURED, "")
    for service in SERVICES:
        if all(one.service != service for one in seen.answering):
            continue  # `reachable` tells it
        age = since.get((service, ""))
        if age is None or age > MEASURED_LOOK:
            yield Finding(
                check="measuring",
                state="look",
                where=service,
                seen="no worker at these addresses tells what waits"
                if age is None
                else f"no worker has looked into the database for {_span(age)}",
                do="Name its worker's address, too (--target URL), and see that the worker runs.",
                see="FairloopNotMeasured",
            )


def upkeep(seen: Seen) -> Iterator[Finding]:
    for (service, task), age in _youngest(seen, JOB_DONE, "task").items():
        if age > JOB_LOOK and task != "republish":
            yield Finding(
                check="upkeep",
                state="look",
                where=service,
                seen=f"the hourly {task} has not come to its end for {_span(age)}",
                do="End the long transaction that holds its table, and restart the worker.",
                see="FairloopJobLate",
            )
    for said, sample in seen.samples(MONTHS_AHEAD):
        if sample.value < 1:
            yield Finding(
                check="upkeep",
                state="look",
                where=said.name,
                seen=f"{sample.labels.get('table')} has no partition for next month",
                do="See why the hourly job does not make it.",
                see="FairloopMonthMissing",
            )


def _youngest(seen: Seen, gauge: str, label: str) -> dict[tuple[str, str], float]:
    """(service, label's value) → seconds since the latest of the times told, each by its teller's own clock."""
    found: dict[tuple[str, str], float] = {}
    for said, sample in seen.samples(gauge):
        age = _by_its_clock(said, seen) - sample.value
        key = (sample.labels.get("service", said.name), sample.labels.get(label, ""))
        found[key] = min(age, found.get(key, age))
    return found


def _by_its_clock(said: Said, seen: Seen) -> float:
    return seen.now.timestamp() + (said.ahead_seconds or 0.0)


def _span(seconds: float) -> str:
    """In the largest unit that it has two of."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
