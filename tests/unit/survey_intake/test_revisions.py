"""What a delivery does to its response."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from survey_intake.domain.revisions import Standing, Status, Verdict, advance, judge

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def after(*deliveries: tuple[bytes, int]) -> tuple[Standing, list[Verdict]]:
    standing: Standing | None = None
    verdicts = []
    for content, minute in deliveries:
        verdicts.append(judge(standing, content, at(minute)))
        standing = advance(standing, verdicts[-1], content, at(minute))
    assert standing is not None
    return standing, verdicts


def test_the_first_delivery_is_revision_and_version_one() -> None:
    standing, verdicts = after((b"a", 0))

    assert verdicts == [Verdict.NEWER]
    assert (standing.version, standing.revisions, standing.current) == (1, 1, 1)


def test_a_b_a_are_three_revisions_also_at_the_same_time() -> None:
    standing, verdicts = after((b"a", 0), (b"b", 0), (b"a", 0))

    assert verdicts == [Verdict.NEWER] * 3
    assert (standing.version, standing.current) == (3, 3)


def test_an_older_one_is_counted_but_changes_nothing_shown() -> None:
    standing, verdicts = after((b"b", 5), (b"a", 0), (b"a", 0))

    assert verdicts == [Verdict.NEWER, Verdict.OLDER, Verdict.DUPLICATE]
    assert (standing.version, standing.revisions, standing.current) == (1, 2, 1)
    assert standing.content_hash == b"b"


def test_a_later_duplicate_holds_back_an_edit_from_before_it() -> None:
    standing, verdicts = after((b"a", 0), (b"a", 9), (b"b", 5))

    assert verdicts == [Verdict.NEWER, Verdict.DUPLICATE, Verdict.OLDER]
    assert standing.content_hash == b"a"


def test_a_retracted_response_ignores_everything() -> None:
    standing, _ = after((b"a", 0))
    deleted = msgspec.structs.replace(standing, status=Status.DELETED)

    verdict = judge(deleted, b"b", at(9))

    assert verdict is Verdict.IGNORED
    assert advance(deleted, verdict, b"b", at(9)) == deleted


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 5)), min_size=1, max_size=12))
def test_the_current_state_is_always_the_newest_by_time(deliveries: list[tuple[bytes, int]]) -> None:
    standing, verdicts = after(*deliveries)

    newest = max(minute for _, minute in deliveries)
    assert standing.updated_at == at(newest)
    assert standing.content_hash in {content for content, minute in deliveries if minute == newest}
    assert standing.version == verdicts.count(Verdict.NEWER)
    assert standing.revisions == verdicts.count(Verdict.NEWER) + verdicts.count(Verdict.OLDER)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 5)), min_size=1, max_size=12))
def test_repeating_the_last_delivery_never_makes_a_revision(deliveries: list[tuple[bytes, int]]) -> None:
    _, verdicts = after(*deliveries, deliveries[-1])

    assert verdicts[-1] is Verdict.DUPLICATE
