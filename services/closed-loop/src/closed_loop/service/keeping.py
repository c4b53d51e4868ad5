"""What of cases is written down, in one statement: state, timers, history, notes, notices."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.domain.case import Case, Change
from closed_loop.domain.lifecycle import is_routable
from closed_loop.domain.sla import Clock
from fairloop.db import sql

WARNING = ".warning"

_KEEP = """
WITH wanted AS MATERIALIZED (
  SELECT case_id, kind, cycle, due_at, calendar_version FROM json_populate_recordset(NULL::sla_timer, $3::json)
),
saved AS (
  INSERT INTO customer_case (id, response_id, alert_rule, status, owner, oversight_owner, escalated_to, org_unit,
    breached, routable, opened_at, state)
  SELECT id, response_id, alert_rule, status, owner, oversight_owner, escalated_to, org_unit,
    breached, routable, opened_at, state
  FROM json_populate_recordset(NULL::customer_case, $2::json)
  ON CONFLICT (id) DO UPDATE SET status = excluded.status, owner = excluded.owner,
    oversight_owner = excluded.oversight_owner, escalated_to = excluded.escalated_to, org_unit = excluded.org_unit,
    breached = excluded.breached, routable = excluded.routable, opened_at = excluded.opened_at, state = excluded.state
),
disarmed AS (
  UPDATE sla_timer AS held SET state = 'disarmed' WHERE state = 'armed' AND case_id = ANY($1::uuid[])
  AND NOT EXISTS (SELECT FROM wanted WHERE (wanted.case_id, wanted.kind, wanted.cycle)
                                         = (held.case_id, held.kind, held.cycle))
),
armed AS (
  INSERT INTO sla_timer (case_id, kind, cycle, due_at, state, calendar_version)
  SELECT case_id, kind, cycle, due_at, 'armed', calendar_version FROM wanted
  ON CONFLICT DO NOTHING
),
happened AS (
  INSERT INTO case_event (case_id, at, by, kind, data)
  SELECT case_id, at, by, kind, data FROM json_populate_recordset(NULL::case_event, $4::json)
),
noted AS (
  INSERT INTO case_note (case_id, at, by, kind, text, method)
  SELECT case_id, at, by, kind, text, method FROM json_populate_recordset(NULL::case_note, $5::json)
),
told AS (
  INSERT INTO notification (case_id, at, recipient, kind, clock)
  SELECT case_id, at, recipient, kind, clock FROM json_populate_recordset(NULL::notification, $6::json)
)
UPDATE case_note SET text = '', method = NULL WHERE case_id = ANY($7::uuid[])
"""


async def keep(session: AsyncSession, cases: Sequence[Case], changes: Sequence[Change]) -> None:
    """Write the newest state of each case, exactly its timers, and what the changes tell, in their order.

    Of an erased case no words stay, be they from before or of these very changes.
    """
    erased = {case.id for case in cases if case.erased}
    await sql(
        session,
        _KEEP,
        [case.id for case in cases],
        _json(_row(case) for case in cases),
        _json(timer for case in cases for clock in case.clocks for timer in _timers(case, clock)),
        _json(
            {"case_id": change.case.id, "at": one.at, "by": one.by, "kind": one.kind, "data": dict(one.data)}
            for change in changes
            for one in change.history
        ),
        _json(
            {
                "case_id": change.case.id,
                "at": one.at,
                "by": one.by,
                "kind": one.kind,
                "text": "" if change.case.id in erased else one.text,
                "method": None if change.case.id in erased else one.method,
            }
            for change in changes
            for one in change.notes
        ),
        _json(
            {
                "case_id": change.case.id,
                "at": one.at,
                "recipient": one.to,
                "kind": one.kind,
                "clock": one.clock,
            }
            for change in changes
            for one in change.notices
        ),
        list(erased),
    )


def _json(rows: Iterator[dict[str, Any]]) -> str:
    return msgspec.json.encode(list(rows)).decode()


def _row(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "response_id": case.response_id,
        "alert_rule": case.alert_rule,
        "status": case.status,
        "owner": case.owner,
        "oversight_owner": case.oversight_owner,
        "escalated_to": case.escalated_to,
        "org_unit": case.org_unit,
        "breached": case.breached,
        "routable": is_routable(case),
        "opened_at": case.opened_at,
        "state": case,
    }


def _timers(case: Case, clock: Clock) -> Iterator[dict[str, Any]]:
    """What has to be waited for while the clock runs."""
    if clock.state != "running":
        return
    waits = {clock.kind: clock.due_at, clock.kind + WARNING: None if clock.warned else clock.warn_at}
    for kind, due_at in waits.items():
        if due_at is not None:
            yield {
                "case_id": case.id,
                "kind": kind,
                "cycle": clock.cycle,
                "due_at": due_at,
                "calendar_version": case.calendar_version,
            }
