"""The deliberate breakages: each takes one thing away that the promise rests on.

A mutant is a text and what replaces it; the text must stand exactly once in its file, so a change of the program that
moves a mutant's ground is noticed. `tests` are tried first, because they are known to see it.
"""

from dataclasses import dataclass

RUNTIME = "libs/common/src/fairloop"
RELAYS = "tests/fault/test_relay_deaths.py"
CONSUMERS = "tests/fault/test_consumer_deaths.py"
OUTAGES = "tests/fault/test_broker_outages.py"
DATABASES = "tests/fault/test_database_outages.py"
HISTORIES = "tests/fault/test_histories.py"
POISON = "tests/fault/test_poison.py"
TIMERS = "tests/fault/services/test_timers.py"
CORRECTIONS = "tests/fault/services/test_corrections.py"
INTAKES = "tests/fault/services/test_intake_deaths.py"


@dataclass(frozen=True)
class Mutant:
    """`changes`: file, what stands there, what it becomes."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "no receipt check",
        ((f"{RUNTIME}/receipts.py", "    if not repeats:\n        return\n", "    return\n"),),
        (HISTORIES,),
    ),
    Mutant(
        "no position row lock",
        ((f"{RUNTIME}/receipts.py", "topic = $1 AND part = $2 FOR UPDATE", "topic = $1 AND part = $2"),),
        (CONSUMERS,),
    ),
    Mutant(
        "no pause on assignment: it starts where the log says the group was",
        (
            (
                f"{RUNTIME}/consumer.py",
                "        self._unstarted.update(partitions)\n        return {}\n",
                "        self._unstarted.update(partitions)\n"
                "        known = await self.log.committed(self.service, partitions)\n"
                "        return {partition: known.get(partition, 0) for partition in partitions}\n",
            ),
            (f"{RUNTIME}/consumer.py", "                subscription.seek(partition, start)\n", ""),
        ),
        (HISTORIES,),
    ),
    Mutant(
        "no pseq check",
        (
            (
                f"{RUNTIME}/receipts.py",
                "        elif pseq > hw + 1:\n",
                "        elif pseq > hw + 1_000_000:\n",
            ),
        ),
        (HISTORIES,),
    ),
    Mutant(
        "position committed before state",
        (
            (
                f"{RUNTIME}/lanes.py",
                "                async with self.db.begin() as session:\n"
                "                    outcome = await apply_batch(session, self.partition, batch, self.handlers, attempt)\n",
                "                async with self.db.begin() as session:\n"
                "                    before = await lock_position(session, self.partition)\n"
                "                    sifted = sift(batch, before)\n"
                "                    await store_position(session, self.partition, before, sifted)\n"
                "                async with self.db.begin() as session:\n"
                "                    await dispatch(session, self.handlers, [d.data for d in sifted.fresh if d.data])\n"
                "                    outcome = Outcome(len(sifted.fresh), 0, 0, None)\n",
            ),
            (
                f"{RUNTIME}/lanes.py",
                "from fairloop.receipts import HaltError, Position\n",
                "from fairloop.dispatch import dispatch\n"
                "from fairloop.receipts import HaltError, Position, lock_position, sift, store_position\n",
            ),
        ),
        (CONSUMERS, DATABASES),
    ),
    Mutant(
        "relay deletes before the acknowledgement",
        (
            (
                f"{RUNTIME}/relay.py",
                "            sent = await self._send(producer, rows)\n",
                '            await _forget_and_number(connection, [row["seq"] for row in rows], [])\n'
                "            sent = await self._send(producer, rows)\n",
            ),
        ),
        (RELAYS, OUTAGES),
    ),
    Mutant(
        "relay numbers from an old snapshot",
        (
            (
                f"{RUNTIME}/relay.py",
                "    PERFORM FROM outbox_head JOIN unnest(topics, parts) AS held (topic, part) USING (topic, part)\n"
                "    ORDER BY topic, part FOR UPDATE OF outbox_head;\n",
                "",
            ),
        ),
        (RELAYS,),
    ),
    Mutant(
        "relay lock on a pooled connection: dropped when the statement is over",
        ((f"{RUNTIME}/relay.py", "SELECT pg_try_advisory_lock(", "SELECT pg_try_advisory_xact_lock("),),
        (RELAYS,),
    ),
    Mutant(
        "revision compare reversed",
        (
            (
                "services/kpi-aggregator/src/kpi_aggregator/service/contributions.py",
                "held[e.response_id].version < e.version]",
                "held[e.response_id].version > e.version]",
            ),
        ),
        (CORRECTIONS,),
    ),
    Mutant(
        "parked key does not block",
        (
            (
                f"{RUNTIME}/batch.py",
                "            if delivery.key in self.blocked_keys:\n",
                "            if not delivery.key and self.blocked_keys:\n",
            ),
        ),
        (POISON,),
    ),
    Mutant(
        "retry without the position lock",
        (
            (
                f"{RUNTIME}/parking.py",
                "    await lock_position(session, TopicPartition(parked.topic, parked.part))\n    rows = await sql(\n",
                "    rows = await sql(\n",
            ),
        ),
        (POISON,),
    ),
    Mutant(
        "timer locked before its case",
        (
            (
                "services/closed-loop/src/closed_loop/timers.py",
                "    row = await session.scalar(select(CaseRow).where(CaseRow.id == case_id)"
                ".with_for_update(skip_locked=True))\n",
                "    await session.execute(select(SlaTimerRow).where(SlaTimerRow.case_id == case_id).with_for_update())\n"
                "    row = await session.scalar(select(CaseRow).where(CaseRow.id == case_id).with_for_update())\n",
            ),
        ),
        (TIMERS,),
    ),
    Mutant(
        "repeats inside one batch not seen",
        (
            (
                f"{RUNTIME}/receipts.py",
                "        elif ids[pseq - position.hw_pseq - 1] != delivery.event_id:\n"
                '            raise HaltError(f"the producer went back in time: number {pseq} stands for two events")\n',
                "        else:\n            fresh.append(delivery)\n",
            ),
        ),
        (RELAYS,),
    ),
    Mutant(
        "log's tail not compared at relay start",
        ((f"{RUNTIME}/relay.py", "        if last < next_pseq:\n", "        if last >= 0:\n"),),
        (HISTORIES,),
    ),
    Mutant(
        "a connection given up in a transaction is used again",
        (
            (
                f"{RUNTIME}/db.py",
                "    if driver.is_in_transaction() or driver._top_xact is not None:\n",
                "    if driver.is_closed():\n",
            ),
        ),
        (INTAKES,),
    ),
)
