"""Whatever the order, the repetition and the interleaving of corrections: in the end every service holds the fold.

The machine gives commands as a survey platform, a planning system, managers and finance do, and hands the events
around. The order of one key is kept, as the log keeps it; everything else is up to chance.
"""

import logging
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any, cast

import pytest
import structlog
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.property.commands import CUSTOMERS, JOBS, Commands
from tests.property.five_services import FiveServices, five_services
from tests.property.fold import Answer

from fairloop.embedded import PostgresServer
from fairloop.events import EventData

pytestmark = pytest.mark.timeout(7200)

CONSUMERS = ("attribution", "kpi-aggregator", "closed-loop", "bonus")

responses = st.sampled_from(sorted(CUSTOMERS))
jobs = st.sampled_from(sorted(JOBS))
causes = st.lists(st.sampled_from(("quality", "speed", "right_window")), max_size=2, unique=True)
mechanics_and_more = st.lists(st.sampled_from(("m1", "m2", "s1")), max_size=3, unique=True)
picks = st.lists(st.integers(0, 30), min_size=1, max_size=6)


class AnyOrder(RuleBasedStateMachine):
    """`failed`: a step went wrong, so nothing more is to be checked."""

    def __init__(self, five: FiveServices) -> None:
        super().__init__()
        self.five = five
        self.commands = Commands(five)
        self.sent: dict[str, tuple[Answer, int]] = {}
        self.failed = False

    def run(self, step: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.five.run(step)
        except BaseException:
            self.failed = True
            raise

    @initialize()
    def a_company(self) -> None:
        self.run(self.five.reset())

    # what customers do

    @rule(
        name=responses,
        score=st.sampled_from((2, 6, 8, 10)),
        causes=causes,
        job=jobs,
        minute=st.integers(0, 3),
    )
    def answers(self, name: str, score: int, causes: list[str], job: str, minute: int) -> None:
        self._answer(name, Answer(score, tuple(sorted(causes)), job), minute)

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 2))
    def platform_sends_its_last_delivery_again(self, pick: int) -> None:
        name = sorted(self.sent)[pick % len(self.sent)]
        self._answer(name, *self.sent[name])

    def _answer(self, name: str, answer: Answer, minute: int) -> None:
        self.sent[name] = (answer, minute)
        outcome = self.run(self.commands.answer(name, answer, minute))
        note(f"    intake about {name}: {outcome}")

    @rule(customer=st.sampled_from(sorted(set(CUSTOMERS.values()))))
    def wants_to_be_forgotten(self, customer: str) -> None:
        self.run(self.commands.forget(customer))

    @precondition(lambda self: self.commands.ids)
    @rule(pick=st.integers(0, 2))
    def turns_out_to_be_a_test_and_is_deleted(self, pick: int) -> None:
        self.run(self.commands.delete(self._known(pick)))

    # what the company does

    @rule(id=jobs, by=mechanics_and_more, unsure=st.sampled_from((None, "m1", "m2")))
    def job_is_done(self, id: str, by: list[str], unsure: str | None) -> None:
        self.run(self.commands.do_job(id, sorted(by), unsure=unsure))

    @rule(who=st.sampled_from(("m1", "m2", "s1", "boss")), unit=st.sampled_from(("north", "south", "supply")))
    def moves(self, who: str, unit: str) -> None:
        self.run(self.commands.move(who, unit))

    @rule(who=st.sampled_from(("m1", "m2")), manager=st.sampled_from((None, "boss")))
    def reports_to(self, who: str, manager: str | None) -> None:
        self.run(self.commands.give_manager(who, manager))

    @rule(parent=st.sampled_from(("company", "south")))
    def north_belongs_below(self, parent: str) -> None:
        self.run(self.commands.put_north_below(parent))

    @precondition(lambda self: self.commands.ids)
    @rule(
        pick=st.integers(0, 2),
        employee=st.sampled_from(("m1", "m2", "s1")),
        kind=st.sampled_from(("not_my_customer", "not_my_cause", "wrong_interaction")),
        right_job=st.sampled_from((None, *sorted(JOBS))),
    )
    def disputes(self, pick: int, employee: str, kind: str, right_job: str | None) -> None:
        name, corrected = self._known(pick), right_job if kind == "wrong_interaction" else None
        upheld = self.run(self.commands.uphold(name, employee, kind, corrected))
        note(f"    about {name}: {'upheld' if upheld else 'refused'}")

    @precondition(lambda self: not self.commands.closed)
    @rule()
    def quarter_is_closed(self) -> None:
        done = self.run(self.commands.close_quarter())
        note("    approved" if done else "    nothing to pay on yet")

    # what the log does

    @precondition(lambda self: self.five.waiting())
    @rule(consumer=st.integers(0, 6), picks=picks)
    def somebody_takes_some(self, consumer: int, picks: list[int]) -> None:
        """Some of what waits for a service, in any order of the keys."""
        waiting, log = self.five.waiting(), self.five.log
        service, topic = waiting[consumer % len(waiting)]
        self._deliver(
            service, [log.take_one(service, topic, pick) for pick in picks if log.waiting(service, topic)]
        )

    @rule(services=st.lists(st.sampled_from(CONSUMERS), min_size=1, max_size=3, unique=True))
    def take_one_of_each_key(self, services: list[str]) -> None:
        """One service after the other, so that what one makes of it may reach the next."""
        for service in services:
            self._deliver(service, self.five.take_one_of_each_key(service))

    @rule(service=st.sampled_from(CONSUMERS), picks=picks)
    def takes_again(self, service: str, picks: list[int]) -> None:
        """Some of what a service has had already, newer or older, in any order."""
        had = self.commands.had(service)
        self._deliver(service, [had[pick % len(had)] for pick in picks] if had else [])

    @rule(service=st.sampled_from(("survey-intake", "attribution", "kpi-aggregator")))
    def republishes(self, service: str) -> None:
        self.run(self.five.republish(service))

    @rule()
    def all_arrives(self) -> None:
        self.run(self.five.deliver_everything())

    def teardown(self) -> None:
        if not self.failed:
            note("    in the end all arrives")
            self.five.run(self.commands.settle())
            self.five.run(self.commands.check())

    def _known(self, pick: int) -> str:
        names = sorted(self.commands.ids)
        note(f"    {names[pick % len(names)]}")
        return names[pick % len(names)]

    def _deliver(self, service: str, batch: list[EventData]) -> None:
        names = {str(id): name for name, id in self.commands.ids.items()}
        for event in batch:
            note(
                f"    {service} takes {event.type} {names.get(event.key, event.key)} version {event.version}"
            )
        if batch:
            self.run(self.five.deliver(service, batch))


@pytest.fixture(scope="module")
def five(postgres: PostgresServer) -> Iterator[FiveServices]:
    """Silent, so that a failing example stands alone."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with five_services(postgres) as services:
        yield services
    structlog.reset_defaults()


def thoroughness() -> settings:
    """As the profile says; without one, what fits into the time of `make test`."""
    long = settings.get_profile("long")
    if settings.get_current_profile_name() == "long":
        return long
    return settings(long, max_examples=20, stateful_step_count=30)


def test_any_order_repetition_and_correction_ends_as_the_fold_of_the_commands(five: FiveServices) -> None:
    machine = cast(type[AnyOrder], partial(AnyOrder, five))  # whatever makes one will do
    run_state_machine_as_test(machine, settings=thoroughness())
