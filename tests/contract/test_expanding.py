"""A migration may add; what the version before needs stays."""

import pytest
from sqlalchemy import create_engine, text
from tests.contract.expanding import RELEASED, judged, recorded, unwaived

from fairloop.migration_state import revisions
from fairloop.services import SERVICES

ADDITIONS = [
    "ALTER TABLE run ADD COLUMN terms BYTEA",
    "ALTER TABLE run ADD COLUMN kind TEXT DEFAULT 'paid' NOT NULL",
    "CREATE TABLE review (\n    id BIGINT NOT NULL,\n    plan TEXT NOT NULL REFERENCES plan (id),\n    PRIMARY KEY (id)\n)",
    "CREATE UNIQUE INDEX review_plan ON review (plan)",
    "ALTER TABLE run ADD CONSTRAINT positive CHECK (total > 0) NOT VALID",
    "CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    "UPDATE run SET kind = 'paid' WHERE kind IS NULL",
    "COMMENT ON COLUMN run.terms IS 'JSON'",
]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE run DROP COLUMN terms", "ban-drop-column"),
        ("DROP TABLE review", "ban-drop-table"),
        ("ALTER TABLE run RENAME COLUMN terms TO conditions", "renaming-column"),
        ("ALTER TABLE run RENAME TO payout", "renaming-table"),
        ("ALTER TABLE run ADD COLUMN kind TEXT NOT NULL", "adding-required-field"),
        ("ALTER TABLE run ALTER COLUMN kind SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE run ALTER COLUMN kind DROP NOT NULL", "ban-drop-not-null"),
        ("ALTER TABLE run ALTER COLUMN kind DROP DEFAULT", "ban-drop-default"),
        ("ALTER TABLE run ALTER COLUMN total TYPE INTEGER", "changing-column-type"),
        ("ALTER TABLE run ADD CONSTRAINT positive CHECK (total > 0)", "constraint-missing-not-valid"),
        ("ALTER TABLE run ADD CONSTRAINT one_each UNIQUE (period)", "disallowed-unique-constraint"),
        ("ALTER TABLE run DROP CONSTRAINT positive", "ban-drop-constraint"),
        ("ALTER TABLE run DROPP", "syntax-error"),
    ],
)
def test_what_breaks_the_version_before_is_named_with_its_statement(statement: str, rule: str) -> None:
    found = judged([*ADDITIONS, statement, *ADDITIONS[3:]])

    assert (rule, statement) in {(finding.rule, finding.statement) for finding in found}
    assert {finding.statement for finding in found} == {statement}


def test_additions_are_fine() -> None:
    assert judged(ADDITIONS) == []
    assert judged([]) == []


def test_a_later_release_may_take_away_what_it_gives_a_reason_for() -> None:
    found = judged(["ALTER TABLE run DROP COLUMN terms"])

    assert unwaived(found, {"ban-drop-column": "nothing has read it since 0007"}) == []
    assert len(unwaived(found, {})) == 1
    assert len(unwaived(found, {"ban-drop-column": " "})) == 1
    assert unwaived([], {"ban-drop-table": "gone"}) == [
        "ban-drop-table: `contract` allows it, and nothing does it"
    ]


def test_what_is_recorded_is_what_was_executed() -> None:
    engine = create_engine("sqlite://")
    with recorded(engine) as said, engine.begin() as connection:
        connection.execute(text("CREATE TABLE composed (id integer)"))
        connection.execute(text("SELECT 1"))
        connection.execute(text("CREATE TABLE alembic_version (version_num text)"))

    assert said == ["CREATE TABLE composed (id integer)"]


def test_every_service_has_its_base_line() -> None:
    assert {
        package: RELEASED[package] in revisions(package) for package in SERVICES.values()
    } == dict.fromkeys(SERVICES.values(), True)
