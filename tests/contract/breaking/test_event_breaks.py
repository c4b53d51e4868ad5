"""Every rule for events and topics, planted into what is committed; and the command, on a real repository."""

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.contract.asyncapi import FILE
from tests.contract.breaking.__main__ import API, EVENTS, broken
from tests.contract.breaking.events import broken_topics, broken_types
from tests.contract.breaking.revisions import (
    CHECKOUT,
    UnknownRevisionError,
    documents_here,
    documents_of,
    parted,
)

Json = dict[str, Any]

HERE = documents_here([API, EVENTS], CHECKOUT)
TYPES = HERE[EVENTS]
CASE = "closedloop.case.v1"


def case(types: Json) -> Json:
    fields: Json = types[CASE]["$defs"]["ClosedLoopCase"]
    return fields


def add_optional(types: Json) -> None:
    case(types)["properties"]["mood"] = {"type": "string", "default": ""}


def add_required(types: Json) -> None:
    case(types)["properties"]["mood"] = {"type": "string"}
    case(types)["required"].append("mood")


def drop_optional(types: Json) -> None:
    del case(types)["properties"]["result"]


def make_optional(types: Json) -> None:
    case(types)["required"].remove("owner")


def new_word(types: Json) -> None:
    case(types)["properties"]["status"]["enum"].append("lost")


def widen(types: Json) -> None:
    case(types)["properties"]["owner"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}


def other_default(types: Json) -> None:
    case(types)["properties"]["escalated"]["default"] = True


def drop_type(types: Json) -> None:
    del types[CASE]


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (add_optional, []),
        (add_required, [f"{CASE}.mood: is newly required"]),
        (drop_optional, [f"{CASE}.result: is removed"]),
        (make_optional, [f"{CASE}.owner: is no longer always there"]),
        (new_word, [f"{CASE}.status: has a new word, 'lost'"]),
        (widen, [f"{CASE}.owner: may now be null"]),
        (other_default, [f"{CASE}.escalated: left out, it meant False and means True"]),
        (drop_type, [f"{CASE}: is removed"]),
    ],
)
def test_a_type_may_gain_optional_fields_and_nothing_else(
    plant: Callable[[Json], None], named: list[str]
) -> None:
    after = deepcopy(dict(TYPES))
    plant(after)

    assert [str(one) for one in broken_types(TYPES, after)] == named


def test_a_new_version_beside_the_old_breaks_nothing() -> None:
    assert broken_types(TYPES, {**TYPES, "closedloop.case.v2": {"type": "object"}}) == []


def drop_topic(document: Json) -> None:
    del document["channels"]["bonus.run.v1"]


def more_partitions(document: Json) -> None:
    document["channels"]["bonus.run.v1"]["bindings"]["kafka"]["partitions"] = 8


def drop_message(document: Json) -> None:
    del document["channels"]["directory.v1"]["messages"]["directory.role.v1"]


def other_sender(document: Json) -> None:
    document["operations"]["bonus.send.bonus.run.v1"]["tags"] = [{"name": "closed-loop"}]


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (drop_topic, "bonus.run.v1: is removed"),
        (more_partitions, "bonus.run.v1: had 1 partitions, has 8: keys would change theirs"),
        (drop_message, "directory.v1: no longer carries directory.role.v1"),
        (other_sender, "bonus.run.v1: was sent by bonus, is sent by closed-loop"),
    ],
)
def test_a_topic_keeps_its_partitions_types_and_sender(plant: Callable[[Json], None], named: str) -> None:
    before: Json = json.loads(FILE.read_text())
    after = deepcopy(before)
    plant(after)

    assert broken_topics(before, before) == []
    assert [str(one) for one in broken_topics(before, after)] == [named]


def git(checkout: Path, *arguments: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=checkout, check=True, capture_output=True)


def test_files_are_compared_with_where_the_work_began_and_not_with_what_others_added_since(
    tmp_path: Path,
) -> None:
    event = tmp_path / EVENTS / f"{CASE}.json"
    event.parent.mkdir(parents=True)
    event.write_text(json.dumps(TYPES[CASE]))
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    git(tmp_path, "switch", "-q", "-c", "work")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "two")
    git(tmp_path, "switch", "-q", "main")
    (event.parent / "more.v1.json").write_text("{}")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "three")
    git(tmp_path, "switch", "-q", "work")
    folders = [API, EVENTS]

    old = documents_of(parted("main", tmp_path), folders, tmp_path)
    assert broken(old, documents_here(folders, tmp_path)) == []

    event.unlink()
    lines = broken(old, documents_here(folders, tmp_path))
    assert lines == [f"event {CASE}: is removed (a new vN beside it may)"]


def test_without_the_base_there_is_no_verdict(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(UnknownRevisionError, match="BASE="):
        parted("origin/main", tmp_path)


def test_a_document_that_goes_is_named() -> None:
    without = {API: {name: one for name, one in HERE[API].items() if name != "bonus"}, EVENTS: TYPES}

    assert broken(HERE, without) == ["docs/api/bonus.json: is removed"]
