"""How far a database has been migrated, told without loading the tool that migrates."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from fairloop.db import Database


def versions_folder(package: str) -> Path:
    """Where a service's migrations are: files named `<revision>_<what>.py`, one after the other."""
    return Path(str(files(package) / "migrations" / "versions"))


@cache
def revisions(package: str) -> tuple[str, ...]:
    """The revisions this code knows, the newest last."""
    return tuple(sorted(path.stem.partition("_")[0] for path in versions_folder(package).glob("[0-9]*.py")))


async def pending_migrations(package: str, db: Database) -> str | None:
    """From where to where the database still has to go; None when this code can work with it.

    A revision this code does not know is a newer one, made to be compatible with its predecessor.
    """
    known = revisions(package)
    try:
        async with db.begin() as session:
            current: str | None = await session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        current = None
    if not known or current == known[-1] or (current is not None and current not in known):
        return None
    return f"{current or 'empty'} → {known[-1]}"
