"""From bytes to a draft."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_intake.domain.coerce import moment, not_ahead, whole_number
from survey_intake.domain.draft import Cause, Draft, Ignorable, NotUnderstood, Reading, content_hash
from survey_intake.domain.mapping import Mapping, mapping_problems
from survey_intake.domain.reading import read_delivery

UTC_ZONE = ZoneInfo("UTC")
MAPPING = Mapping(
    nps="nps",
    csat="csat",
    comment="why",
    cause1="c1",
    cause2="c2",
    customer_ref="who",
    interaction_ref="job",
    segments={"branch": "branch"},
    ratings={"hygiene": "clean"},
    consent_quote="ok",
    cause_values={"Cleanliness of the car": "cleanliness"},
)


def delivery(answers: object, **changes: object) -> bytes:
    data = {
        "id": "r",
        "surveyId": "s",
        "createdAt": "2026-03-01T08:00:00Z",
        "finished": True,
        "data": answers,
    }
    return json.dumps({"event": "responseFinished", "data": data | changes}).encode()


def read(body: bytes, platform: str = "formbricks", zone: ZoneInfo = UTC_ZONE) -> Reading:
    return read_delivery(body, platform=platform, mapping=MAPPING, zone=zone)


def understood(answers: dict[str, object], **changes: object) -> Draft:
    draft = read(delivery(answers, **changes))
    assert isinstance(draft, Draft), draft
    return draft


def own(**changes: object) -> bytes:
    body = {
        "survey_id": "s",
        "response_id": "r",
        "submitted_at": "2026-03-01T08:00:00Z",
        "scores": {"nps": 3},
    }
    return json.dumps(body | changes).encode()


def test_a_formbricks_response_is_read_by_meaning() -> None:
    draft = understood(
        {
            "nps": 9,
            "csat": "4",
            "why": " Very clean. ",
            "c1": "service",
            "c2": ["Cleanliness of the car", "speed"],
            "who": 4711,
            "job": "job-1",
            "branch": "north",
            "clean": 5,
            "ok": "accepted",
            "unmapped": {"anything": [1]},
        },
        language="nl",
        updatedAt="2026-03-01T09:00:00+01:00",
    )

    assert draft.scores == {"nps": 9, "csat": 4}
    assert draft.personal.comment == "Very clean."
    assert draft.causes == (Cause("service", "cleanliness"), Cause("service", "speed"))
    assert draft.customer_ref == "4711"
    assert (draft.interaction_ref, draft.segments, draft.ratings) == (
        "job-1",
        {"branch": "north"},
        {"hygiene": 5},
    )
    assert draft.consent_quote
    assert draft.language == "nl"
    assert draft.updated_at == datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    assert draft.warnings == ()


def test_zero_is_an_answer() -> None:
    assert understood({"nps": 0}).scores == {"nps": 0}


@pytest.mark.parametrize("told", [11, -1, 7.5, "1: Male", "ten", True, [9], {"value": 9}, "٣", "1e1"])
def test_an_unusable_score_is_left_out_with_a_warning_that_does_not_quote_it(told: object) -> None:
    draft = understood({"nps": told, "why": "x"})

    assert draft.scores == {}
    (warning,) = draft.warnings
    assert warning.pointer == "/data/data/nps"
    assert "Male" not in warning.detail


@pytest.mark.parametrize("told", [None, "", "null", []])
def test_a_question_that_was_not_answered_is_no_warning(told: object) -> None:
    draft = understood({"nps": told, "why": "x"})

    assert (draft.scores, draft.warnings) == ({}, ())


def test_a_free_text_among_the_causes_is_left_out_because_it_may_be_personal() -> None:
    draft = understood({"nps": 3, "c1": "Other: my neighbour Jan said so"})

    assert draft.causes == ()
    assert "Jan" not in repr(draft.warnings)


@pytest.mark.parametrize(
    ("first", "second", "causes"),
    [
        (["a", "b"], ["x", "y"], (Cause("a", "x"), Cause("b", "y"))),
        (["a", "b"], ["x"], (Cause("a"), Cause("b"))),
        ("a", None, (Cause("a"),)),
        (None, "x", ()),
        (["a", "a"], "x", (Cause("a", "x"),)),
    ],
)
def test_first_and_second_causes_are_paired(first: object, second: object, causes: tuple[Cause, ...]) -> None:
    assert understood({"nps": 3, "c1": first, "c2": second}).causes == causes


def test_an_unfinished_response_may_have_no_answers_yet_but_a_finished_one_may_not() -> None:
    opened = read(delivery({"who": "c"}, finished=False))
    finished = read(delivery({"who": "c"}))

    assert isinstance(opened, Draft)
    assert isinstance(finished, NotUnderstood)


def test_the_test_of_an_address_is_no_response() -> None:
    assert read(b'{"event": "testEndpoint"}') == Ignorable("ping")


def test_our_own_format_names_every_problem_at_once() -> None:
    reading = read(own(survey_id="", submitted_at="?", scores={"nps": "x"}, causes=[1]), "fairloop")

    assert isinstance(reading, NotUnderstood)
    assert [problem.pointer for problem in reading.errors] == [
        "/submitted_at",
        "/survey_id",
        "/scores/nps",
        "/causes/0",
    ]


def test_a_score_out_of_range_in_our_own_format_is_null_with_a_warning() -> None:
    draft = read(own(scores={"nps": 11, "csat": 5}), "fairloop")

    assert isinstance(draft, Draft)
    assert draft.scores == {"csat": 5}
    assert [warning.pointer for warning in draft.warnings] == ["/scores/nps"]


def test_without_updated_at_the_time_of_submission_orders_edits() -> None:
    draft = read(own(), "fairloop")

    assert isinstance(draft, Draft)
    assert draft.updated_at == draft.submitted_at


@pytest.mark.parametrize(
    ("told", "zone", "utc"),
    [
        ("2026-03-01T08:00:00Z", "Asia/Tokyo", "2026-03-01T08:00:00+00:00"),
        ("2026-03-01T08:00:00", "Asia/Tokyo", "2026-02-28T23:00:00+00:00"),
        ("2026-03-01 08:00:00.123+02:00", "UTC", "2026-03-01T06:00:00.123000+00:00"),
        ("2026-10-25T02:30:00", "Europe/Amsterdam", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_times_become_utc(told: str, zone: str, utc: str) -> None:
    assert moment(told, ZoneInfo(zone)).isoformat() == utc


@pytest.mark.parametrize(
    "told",
    ["", "2026-03-01", 7, None, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"],
)
def test_what_is_no_time_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match="must be a date"):
        moment(told, UTC_ZONE)


def test_a_time_is_replaced_only_when_more_than_five_minutes_ahead() -> None:
    now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

    assert not_ahead(now.replace(minute=5), now) == now.replace(minute=5)
    assert not_ahead(now.replace(minute=5, second=1), now) == now


@given(st.integers(min_value=-(10**8), max_value=10**8))
def test_a_whole_number_is_the_same_as_text_and_as_a_float(number: int) -> None:
    assert whole_number(number) == whole_number(str(number)) == whole_number(float(number)) == number


@given(st.binary(max_size=200), st.sampled_from(["formbricks", "fairloop"]))
def test_whatever_the_bytes_are_the_answer_is_a_value(body: bytes, platform: str) -> None:
    assert isinstance(read(body, platform), Draft | NotUnderstood | Ignorable)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["nps", "why", "c1", "c2", "who", "job", "branch", "clean", "ok"]), JSON)
)
def test_whatever_the_answers_are_the_answer_is_a_value(answers: dict[str, Any]) -> None:
    assert isinstance(read(delivery(answers)), Draft | NotUnderstood)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "survey_id",
                "response_id",
                "submitted_at",
                "scores",
                "ratings",
                "causes",
                "customer",
                "segments",
            ]
        ),
        JSON,
    )
)
def test_whatever_our_own_fields_hold_the_answer_is_a_value(changes: dict[str, Any]) -> None:
    assert isinstance(read(own(**changes), "fairloop"), Draft | NotUnderstood)


def test_the_content_is_what_was_answered_not_when_it_was_sent() -> None:
    draft = understood({"nps": 3, "why": "x"})
    later = msgspec.structs.replace(draft, updated_at=datetime(2027, 1, 1, tzinfo=UTC))
    edited = understood({"nps": 3, "why": "y"})

    assert content_hash(draft, b"k") == content_hash(later, b"k")
    assert content_hash(draft, b"k") != content_hash(edited, b"k")
    assert content_hash(draft, b"k") != content_hash(draft, b"another key")


def test_a_mapping_is_checked_for_its_platform() -> None:
    assert mapping_problems("formbricks", MAPPING) == []
    assert mapping_problems("fairloop", Mapping()) == []
    assert mapping_problems("fairloop", MAPPING)
    assert [wrong.pointer for wrong in mapping_problems("formbricks", Mapping(cause2="q", nps="q"))] == [
        "/cause2",
        "/cause2",
    ]
