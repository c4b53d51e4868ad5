"""Bodies and answers."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

import msgspec
from pydantic import Field, StringConstraints, field_validator, model_validator

from closed_loop.api.playbook_body import PlaybookOut
from closed_loop.domain.alerts import ORDERED, Op, Route, Track
from closed_loop.domain.calendar import BadCalendarError, calendar
from closed_loop.domain.case import Case, Status, allowed
from closed_loop.domain.sla import ClockKind, ClockState
from closed_loop.tables import CaseEventRow, CaseNoteRow, NotificationRow
from fairloop.web import Answer, Body, Slug

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Minutes = Annotated[float, Field(gt=0, le=525_600, allow_inf_nan=False)]
"""Business minutes; a second is 1/60."""
Number = Annotated[float, Field(allow_inf_nan=False)]
Scalar = bool | int | Number | Annotated[str, Field(max_length=200)]
AnswerField = Annotated[
    str,
    Field(
        pattern=r"^(nps|csat|ces|cause|connection|survey_id|survey_type|language|has_comment|has_score|rating|touchpoint|org_unit"
        r"|(rating|segment)\..{1,128})$"
    ),
]
Documentation = Literal["root_cause", "promised", "outcome", "result"]
Person = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,150}$")]


class ConditionIn(Body):
    field: AnswerField
    op: Op
    value: Scalar | list[Scalar]

    @model_validator(mode="after")
    def _value_fits(self) -> "ConditionIn":
        if self.op in ORDERED and (isinstance(self.value, bool) or not isinstance(self.value, int | float)):
            raise ValueError(f"{self.op} compares with a number")
        if isinstance(self.value, list) != (self.op == "in"):
            raise ValueError("a list of values goes with in, one value with any other")
        return self


class AlertRuleIn(Body):
    when: list[ConditionIn] = Field(min_length=1, max_length=20)
    active: bool = True
    track: Track | None = None
    route: Route | None = None
    watchers: list[Slug] = Field(default=[], max_length=50)
    method: Annotated[str, Field(max_length=40)] | None = None
    required_documentation: list[Documentation] = Field(default=[], max_length=4)
    sla_policy: Slug = "default"
    oversight_owner: Person | None = None


class AlertRuleOut(AlertRuleIn, Answer):
    id: str
    version: int


class SlaPolicyIn(Body):
    calendar: Slug = "default"
    target_minutes: dict[ClockKind, Minutes] = Field(min_length=1)
    warn_at: Decimal = Field(default=Decimal("0.75"), gt=0, lt=1, max_digits=4, decimal_places=3)
    escalate_to: Person | None = None


class SlaPolicyOut(SlaPolicyIn, Answer):
    id: str
    version: int


class CalendarIn(Body):
    timezone: Annotated[str, Field(max_length=64)]
    weekly: dict[
        Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        Annotated[list[tuple[str, str]], Field(max_length=48)],
    ]
    holidays: list[date] = Field(default=[], max_length=2000)

    @field_validator("holidays")
    @classmethod
    def _in_order(cls, holidays: list[date]) -> list[date]:
        return sorted(set(holidays))

    @model_validator(mode="after")
    def _can_be_counted_by(self) -> "CalendarIn":
        try:
            calendar(self.timezone, {str(day): windows for day, windows in self.weekly.items()}, [])
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f"{self.timezone} is not a time zone") from error
        except BadCalendarError as error:
            raise ValueError(str(error)) from error
        return self


class CalendarOut(CalendarIn, Answer):
    id: str
    version: int


class ContactIn(Body):
    method: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    note: Annotated[str, Field(max_length=4000)] = ""


class PauseIn(Body):
    reason: Text


class ResolveIn(Body):
    """Which of these must be filled in, the case says (`required_documentation`). `result`: an outcome's id of the
    playbook of its track."""

    root_cause: Annotated[str, Field(max_length=4000)] | None = None
    promised: Annotated[str, Field(max_length=4000)] | None = None
    outcome: Annotated[str, Field(max_length=4000)] | None = None
    result: Slug | None = None


class ReassignIn(Body):
    owner: Person


class NoteIn(Body):
    text: Text


class ClockOut(Answer):
    kind: ClockKind
    state: ClockState
    due_at: datetime | None
    warn_at: datetime | None
    started_at: datetime
    settled_at: datetime | None
    target_minutes: float


class ScoresOut(Answer):
    nps: int | None
    csat: int | None
    ces: int | None


class CaseOut(Answer):
    """A case without what anybody wrote."""

    id: UUID
    response_id: UUID
    status: Status
    track: Track
    alert_rule: str
    method: str | None
    contacted_as_planned: bool | None
    result: str | None
    owner: str
    owner_reason: str
    oversight_owner: str
    watchers: list[str]
    org_unit: str | None
    clocks: list[ClockOut]
    paused: bool
    breached: bool
    escalated: bool
    escalated_to: str | None
    scores: ScoresOut
    causes: list[str]
    meets_rule: bool
    required_documentation: list[str]
    sla_policy: str
    sla_policy_version: int
    calendar: str
    calendar_version: int
    opened_at: datetime
    closed_at: datetime | None
    closed_reason: str | None
    allowed: list[str]
    version: int


class HappenedOut(Answer):
    at: datetime
    by: str
    kind: str
    data: dict[str, Any]


class NoteOut(Answer):
    """`text` and `method` are null for readers who may not see what people wrote."""

    at: datetime
    by: str
    kind: str
    text: str | None
    method: str | None


class NotificationOut(Answer):
    at: datetime
    recipient: str
    kind: str
    clock: str | None


class CaseDetail(CaseOut):
    """`playbook`: how such a case is to be followed up, in its newest version."""

    playbook: PlaybookOut
    documentation: dict[str, str] | None
    history: list[HappenedOut]
    notes: list[NoteOut]
    notifications: list[NotificationOut]


def case_out(case: Case) -> CaseOut:
    """A case as it is listed."""
    return CaseOut.model_validate(
        {**msgspec.structs.asdict(case), "paused": case.paused, "allowed": allowed(case)}
    )


def case_detail(
    case: Case,
    *,
    playbook: PlaybookOut,
    history: Sequence[CaseEventRow],
    notes: Sequence[CaseNoteRow],
    notifications: Sequence[NotificationRow],
    texts: bool,
) -> CaseDetail:
    """A case with its story; `texts`: the reader may see what people wrote."""
    shown = [NoteOut.model_validate(note) for note in notes]
    return CaseDetail(
        **case_out(case).model_dump(),
        playbook=playbook,
        documentation=case.documentation if texts else None,
        history=[HappenedOut.model_validate(one) for one in history],
        notes=shown if texts else [note.model_copy(update={"text": None, "method": None}) for note in shown],
        notifications=[NotificationOut.model_validate(one) for one in notifications],
    )
