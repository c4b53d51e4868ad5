"""Many directory entries at once, from CSV or JSON; the formats are in this service's README."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import Request
from pydantic import Field, ValidationError

from attribution.api.accounts import AccountIn
from attribution.api.asked import WRITERS, At, Settings, keyed
from attribution.api.assignments import AssignmentIn
from attribution.api.employees import EmployeeIn
from attribution.api.org_units import OrgUnitIn, RoleIn
from attribution.service.directory_import import Errors, Record, import_all
from attribution.settings import AttributionSettings
from attribution.tables import DirectoryRow
from fairloop.errors import Invalid
from fairloop.web import Answer, Body, Routes, Session, Slug
from fairloop.web.problems import pointed

routes = Routes(tag="directory")


class _Entry(Protocol):
    def row(self, id: str) -> DirectoryRow: ...


class _Identified(Body):
    id: Slug


class _Account(AccountIn):
    customer_ref: Annotated[str, Field(min_length=1, max_length=256)]


class _OrgUnit(OrgUnitIn, _Identified): ...


class _Role(RoleIn, _Identified): ...


class _Employee(EmployeeIn, _Identified): ...


class _Assignment(AssignmentIn, _Identified): ...


_MODELS: dict[str, type[_OrgUnit | _Role | _Employee | _Assignment | _Account]] = {
    "org_unit": _OrgUnit,
    "role": _Role,
    "employee": _Employee,
    "assignment": _Assignment,
    "account": _Account,
}


class ImportOut(Answer):
    dry_run: bool
    counts: Annotated[
        dict[str, dict[str, int]], Field(description="kind → created, changed, unchanged → entries")
    ]


@routes.post("/v1/directory/import", allow=WRITERS)
async def import_directory(
    request: Request, session: Session, settings: Settings, at: At, dry_run: bool = False
) -> ImportOut:
    """All or nothing. Errors point at `/line/7/parent` of a CSV or `/org_units/3/parent` of a JSON document."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("text/csv"):
        entries = list(_from_csv(body))
    else:
        entries = list(_from_json(body))
    records = _records(entries, settings)
    counts = await import_all(session, records, dry_run=dry_run, at=at)
    return ImportOut(dry_run=dry_run, counts={kind: dict(changes) for kind, changes in counts.items()})


_Read = tuple[str, str, dict[str, Any]]
"""(pointer, kind, fields)"""


def _from_json(body: bytes) -> Iterator[_Read]:
    try:
        document = msgspec.json.decode(body, type=dict[str, list[dict[str, Any]]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"Not a JSON object of lists of objects: {error}.", pointer="") from error
    for name, items in document.items():
        for n, fields in enumerate(items):
            yield f"/{name}/{n}", name.removesuffix("s"), fields


def _from_csv(body: bytes) -> Iterator[_Read]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"The file is not UTF-8: {error}.", pointer="") from error
    lines = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        for cells in lines:
            fields = {name: value for name, value in cells.items() if value}
            yield f"/line/{lines.line_num}", str(fields.pop("kind", "")), fields
    except csv.Error as error:
        raise Invalid(f"The file is not CSV: {error}.", pointer=f"/line/{lines.line_num}") from error


def _records(entries: list[_Read], settings: AttributionSettings) -> list[Record]:
    records: list[Record] = []
    errors: Errors = []
    for pointer, kind, fields in entries:
        model = _MODELS.get(kind)
        if model is None:
            errors.append((pointer, f"'{kind}' is none of the kinds {', '.join(_MODELS)}."))
            continue
        try:
            entry = model.model_validate(fields)
        except ValidationError as error:
            errors += pointed(error, below=pointer)
            continue
        id = keyed(entry.customer_ref, settings) if isinstance(entry, _Account) else entry.id
        records.append(Record(pointer, entry.row(id)))
    if errors:
        raise Invalid(f"Nothing was imported: {len(errors)} errors.", errors=errors)
    return records
