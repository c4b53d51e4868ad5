"""`make migrate-check`, second half: can the version before go on working on the tables of the newest?

While a release rolls out both are at work on one database. So a migration only expands: what goes, is renamed, or
takes less than before breaks the version that still runs. squawk judges what each migration really executes on a
database, also where Python composes it. A later release may take away what nobody uses any more, and its migration
says so: `contract = {"ban-drop-column": "nothing has read run.terms since 0007"}`.
"""

import asyncio
import json
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from fairloop.db import Database
from fairloop.migrate import upgrade
from fairloop.migration_state import revisions, versions_folder
from fairloop.schema_changes import each_service
from fairloop.service import Service

RELEASED = {
    "survey_intake": "0003",
    "attribution": "0003",
    "kpi_aggregator": "0007",
    "closed_loop": "0009",
    "bonus": "0005",
}
"""Package → its last migration from before this rule."""
BREAKING = frozenset(
    {
        "adding-foreign-key-constraint",
        "adding-not-nullable-field",
        "adding-required-field",
        "ban-drop-column",
        "ban-drop-constraint",
        "ban-drop-default",
        "ban-drop-not-null",
        "ban-drop-table",
        "ban-drop-view",
        "ban-truncate-cascade",
        "changing-column-type",
        "constraint-missing-not-valid",
        "disallowed-unique-constraint",
        "renaming-column",
        "renaming-table",
        "syntax-error",
    }
)
"""squawk's rules about what the version before relies on. Its others, on style and locks, are not asked."""


@dataclass(frozen=True)
class Finding:
    """A statement of a migration that breaks a rule."""

    rule: str
    statement: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {' '.join(self.statement.split())[:160]}\n    {self.message}"


def judged(statements: Sequence[str]) -> list[Finding]:
    """What of one migration breaks the version before."""
    texts = [f"{statement.rstrip().rstrip(';')};\n" for statement in statements]
    lines = [sum(text.count("\n") for text in texts[:place]) for place in range(len(texts))]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write("".join(texts))
        file.flush()
        said = subprocess.run(
            [_squawk(), "--reporter=json", "--assume-in-transaction", "--pg-version=18", file.name],
            capture_output=True,
            text=True,
            check=False,
        )
    if said.returncode not in {0, 1}:
        raise RuntimeError(said.stderr)
    return [
        Finding(one["rule_name"], _at(one["line"], lines, statements), one["message"])
        for one in json.loads(said.stdout)
        if one["rule_name"] in BREAKING
    ]


def _at(line: int, lines: Sequence[int], statements: Sequence[str]) -> str:
    return statements[max(place for place, first in enumerate(lines) if first <= line)]


def _squawk() -> str:
    return str(Path(sys.executable).with_name("squawk"))


def unwaived(findings: Sequence[Finding], contract: Mapping[str, str]) -> list[str]:
    """What stays wrong: rules broken without a reason, and reasons for rules that nothing breaks."""
    broken = {finding.rule for finding in findings}
    wrong = [str(finding) for finding in findings if not contract.get(finding.rule, "").strip()]
    return wrong + [
        f"{rule}: `contract` allows it, and nothing does it" for rule in sorted(contract.keys() - broken)
    ]


@contextmanager
def recorded(engine: Engine) -> Iterator[list[str]]:
    """What is executed on the engine while the block runs, but for questions and Alembic's own notes."""
    said: list[str] = []

    def record(_c: object, _k: object, statement: str, *_: Any) -> None:
        if "alembic_version" not in statement and not statement.lstrip().upper().startswith("SELECT"):
            said.append(statement)

    event.listen(engine, "before_cursor_execute", record)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", record)


async def migrated(service: Service, db: Database) -> dict[str, list[str]]:
    """Revision → what it executed, of those behind the released ones."""
    released = RELEASED[service.package]
    await upgrade(service, db, to=released)
    found: dict[str, list[str]] = {}
    for revision in revisions(service.package):
        if revision > released:
            with recorded(db.engine.sync_engine) as said:
                await upgrade(service, db, to=revision)
            found[revision] = said
    return found


def contract_of(package: str, revision: str) -> dict[str, str]:
    [file] = versions_folder(package).glob(f"{revision}_*.py")
    contract: dict[str, str] = runpy.run_path(str(file)).get("contract", {})
    return contract


async def main() -> int:
    failed = 0
    async for service, db in each_service():
        found = await migrated(service, db)
        for revision, statements in found.items():
            wrong = unwaived(judged(statements), contract_of(service.package, revision))
            failed += len(wrong)
            for line in wrong:
                print(f"{service.name} {revision}: {line}")
        print(f"{service.name}: {len(found)} migrations since {RELEASED[service.package]} judged")
    print(f"{failed} statements break the version before" if failed else "migrations only expand")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
