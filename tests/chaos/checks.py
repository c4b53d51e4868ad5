"""What must hold when a run is over. Each check answers what is wrong, nothing when all is well."""

from collections.abc import Awaitable, Callable

from tests.chaos import (
    check_cases,
    check_commitments,
    check_coverage,
    check_figures,
    check_log,
    check_pay,
    check_shifts,
    check_telling,
)
from tests.chaos.evidence import Evidence

Check = Callable[[Evidence], Awaitable[list[str]]]


async def every_answer_was_one_that_may_be_given(evidence: Evidence) -> list[str]:
    """2xx, or come back later: no error of ours, no refusal of what is allowed, no figure that does not add up."""
    return evidence.remarks + evidence.caller.unexpected


CHECKS: tuple[Check, ...] = (
    every_answer_was_one_that_may_be_given,
    check_log.nothing_parked_or_halted,
    check_log.every_number_once_and_in_order,
    check_log.the_log_holds_what_was_committed,
    check_log.receipts_are_the_events_of_the_log,
    check_log.every_version_once_and_in_order,
    check_figures.every_answer_once_in_its_newest_revision,
    check_figures.ledgers_are_the_folds,
    check_figures.every_share_is_given_out,
    check_figures.figures_are_the_folds,
    check_figures.running_figures_equal_their_recomputation,
    check_coverage.coverage_is_the_folds,
    check_cases.one_case_for_one_alert,
    check_cases.cases_stand_where_they_were_left,
    check_cases.no_deadline_passes_twice,
    check_cases.case_events_tell_each_breach_once,
    check_shifts.every_shift_is_told_once,
    check_pay.approved_periods_keep_every_byte,
    check_pay.one_payout_for_one_person_and_period,
    check_commitments.no_acceptance_is_lost,
    check_commitments.every_observation_is_kept_once,
    check_commitments.every_reminder_comes_once,
    check_telling.no_webhook_is_lost,
    check_telling.no_mail_comes_twice,
)


def name_of(check: Check) -> str:
    return check.__name__.replace("_", " ")
